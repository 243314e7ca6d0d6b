// Reads credentials from files, and checks them.
#include "facewire/credentials.h"

#include <algorithm>
#include <utility>

#include "files.h"

namespace facewire {
namespace {

constexpr char kSpace[] = " \t\r\n";

/// Reads a file; an empty path is an empty text. Returns whether it could be read and has something in it.
bool read(const std::string& path, std::string& into) {
  if (path.empty()) return true;
  into = contents_of(path).value_or("");
  return !into.empty();
}

bool is_printable(char letter) { return letter >= ' ' && letter <= '~'; }

}  // namespace

CredentialSource from_files(CredentialFiles files) {
  return [files = std::move(files)]() -> std::optional<Credentials> {
    Credentials found;
    found.tls = files.tls;
    const bool is_read = read(files.token, found.token) &&
                         read(files.root_certificates, found.root_certificates) &&
                         read(files.client_certificate, found.client_certificate) &&
                         read(files.client_key, found.client_key);
    if (!is_read) return std::nullopt;
    return found;
  };
}

std::string stripped(const std::string& text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string fault_of(const Credentials& credentials) {
  const std::string token = stripped(credentials.token);
  if (!std::all_of(token.begin(), token.end(), is_printable)) {
    return "a token is made of printable ASCII characters; this one is not";
  }
  if (token.empty() && !credentials.token.empty()) return "the token is empty";
  if (credentials.client_certificate.empty() != credentials.client_key.empty()) {
    return "the client's certificate and its key belong together; one is missing";
  }
  return "";
}

}  // namespace facewire
