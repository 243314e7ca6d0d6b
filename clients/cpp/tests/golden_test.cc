// The golden vectors of the contract: the same bytes as in every other language.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "facewire/v1/recognition.pb.h"

namespace facewire {
namespace {

using google::protobuf::Message;

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::unique_ptr<Message> made(const std::string& name) {
  const auto* kind = v1::FrameResult::descriptor()->file()->pool()->FindMessageTypeByName("facewire.v1." + name);
  if (kind == nullptr) return nullptr;
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(kind)->New());
}

std::string serialized(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream into(&bytes);
  google::protobuf::io::CodedOutputStream coded(&into);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(message.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

TEST(Golden, TextAndBytesAreOneMessage) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FACEWIRE_GOLDEN)) {
    if (entry.path().extension() != ".textproto") continue;
    SCOPED_TRACE(entry.path().filename());
    auto bytes_path = entry.path();
    const std::string golden = contents(bytes_path.replace_extension(".binpb"));
    const std::string name = entry.path().filename().string();
    const auto written = made(name.substr(0, name.find('.')));
    ASSERT_TRUE(written) << "there is no such message in recognition.proto";
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(contents(entry.path()), written.get()));
    EXPECT_EQ(serialized(*written), golden);
    const std::unique_ptr<Message> read(written->New());
    ASSERT_TRUE(read->ParseFromString(golden));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*written, *read));
    ++count;
  }
  EXPECT_GE(count, 12);
}

}  // namespace
}  // namespace facewire
