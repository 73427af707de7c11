// Tests of what a kernel may refuse us.
#pragma once

#include <string_view>

namespace tests {

/// The whole test program is over: no test of it failed, and one was skipped.
inline constexpr int kSkippedExitCode = 77;

/// For a test that cannot be done here and then returns: it is skipped, aloud and by its name, and
/// ctest says so in its summary. Where it must work it has failed instead, lest a test that always
/// skips looks like one that passes: `must_work` is what the machines of the CI, which have
/// CI=true, are to offer.
void skip(std::string_view reason, bool must_work);

}  // namespace tests
