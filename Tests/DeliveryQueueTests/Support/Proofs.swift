import Foundation

/// How much of the long proofs runs: a sample in `make test`, all in `make prove`.
enum Proofs {
    static let areLong = ProcessInfo.processInfo.environment["REDELIVER_TEST_PROOFS"] == "long"
}
