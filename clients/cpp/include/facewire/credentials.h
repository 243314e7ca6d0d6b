// What a camera shows to a server, and what it checks the server by.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace facewire {

/// Texts, not paths: many cameras have them in flash.
struct Credentials {
  /// The server's token. Space around it is left out. Without TLS it can be read on the way.
  std::string token;

  /// PEM of the certificates that the server's is checked by; turns TLS on.
  std::string root_certificates;

  /// Turns TLS on with the roots that gRPC finds on this machine.
  bool tls = false;

  /// PEM of a certificate for a server that asks for one (mTLS); turns TLS on. Both or none.
  std::string client_certificate;
  std::string client_key;

  bool is_encrypted() const { return tls || !root_certificates.empty() || !client_certificate.empty(); }
};

/// Returns the credentials for a new connection; nothing if they cannot be read now. It is called from the
/// camera's thread before each connection, so that a renewed token or certificate is used.
using CredentialSource = std::function<std::optional<Credentials>()>;

/// Files with credentials; an empty path: none.
struct CredentialFiles {
  std::string token;
  std::string root_certificates;
  bool tls = false;
  std::string client_certificate;
  std::string client_key;
};

/// Returns a source that reads files before each connection.
CredentialSource from_files(CredentialFiles files);

/// Returns what is wrong with credentials, an empty text if nothing is. gRPC would end the process over a
/// token that no header may hold. The text does not show the token.
std::string fault_of(const Credentials& credentials);

/// Returns a text without the space around it, as tokens are sent.
std::string stripped(const std::string& text);

}  // namespace facewire
