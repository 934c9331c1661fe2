import Foundation

/// How much is simulated: a sample in `make test`, all in `make prove`.
enum Proofs {
    static let areLong = ProcessInfo.processInfo.environment["REDELIVER_TEST_PROOFS"] == "long"
}
