// What a camera shows to a server is read for each connection, and checked before gRPC sees it.
#include "facewire/credentials.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace facewire {
namespace {

std::string written(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(Credentials, FilesAreReadForEachConnection) {
  CredentialFiles files;
  files.token = written("token", "first\n");
  const auto source = from_files(files);
  EXPECT_EQ(stripped(source()->token), "first");
  written("token", "second\n");
  EXPECT_EQ(stripped(source()->token), "second");
}

TEST(Credentials, AFileThatIsAbsentOrEmptyIsNoCredentials) {
  CredentialFiles files;
  files.root_certificates = testing::TempDir() + "absent.pem";
  EXPECT_FALSE(from_files(files)());
  files.root_certificates = written("empty.pem", "");
  EXPECT_FALSE(from_files(files)()) << "gRPC would trust the public roots";
}

TEST(Credentials, WhatCannotBeReadIsNoCredentials) {
  CredentialFiles files;
  files.token = testing::TempDir();  // opens, and fails to be read: as a file of a card that fails
  EXPECT_FALSE(from_files(files)());
}

TEST(Credentials, WithoutFilesTheConnectionIsNotEncrypted) {
  const auto found = from_files({})();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_encrypted());
  EXPECT_EQ(fault_of(*found), "");
}

TEST(Credentials, RootsOrACertificateTurnTlsOn) {
  Credentials roots;
  roots.root_certificates = "PEM";
  Credentials own;
  own.client_certificate = own.client_key = "PEM";
  EXPECT_TRUE(roots.is_encrypted());
  EXPECT_TRUE(own.is_encrypted());
}

TEST(Credentials, ATokenThatNoHeaderMayHoldIsFoundBeforeGrpcEndsTheProcess) {
  for (const char* bad : {"two\nlines", "caf\xc3\xa9", "tab\there", "\x7f", "  "}) {
    Credentials credentials;
    credentials.token = bad;
    const auto fault = fault_of(credentials);
    EXPECT_NE(fault, "") << bad;
    EXPECT_EQ(fault.find(bad), std::string::npos) << "the text shows the token";
  }
  Credentials credentials;
  credentials.token = "  s3cret-0123456789\r\n";
  EXPECT_EQ(fault_of(credentials), "");
}

TEST(Credentials, ACertificateWithoutItsKeyIsAFault) {
  Credentials credentials;
  credentials.client_certificate = "PEM";
  EXPECT_NE(fault_of(credentials), "");
}

}  // namespace
}  // namespace facewire
