#include "collectors/process/yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

namespace collectors {
namespace {

/// Notes where documents begin.
class Documents : public YAML::EventHandler {
 public:
  YAML::Mark last_begin;

  void OnDocumentStart(const YAML::Mark& mark) override { last_begin = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

}  // namespace

YAML::Node only_document(const std::string& text) {
  // YAML::Load() takes the first document and ignores what follows, be it garbage. LoadAll() hangs
  // on some garbage (0.7), as it makes documents of it without end.
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Documents documents;
  if (parser.HandleNextDocument(documents) && parser.HandleNextDocument(documents)) {
    throw YAML::Exception(documents.last_begin, "more than one document; allowed is one");
  }
  return YAML::Load(text);
}

}  // namespace collectors
