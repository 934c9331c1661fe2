/// Whether everything arrived. The receiver's count decides, not the worker's.
struct Verdict {
    let isGood: Bool
    let text: String

    init(_ ledger: Sandbox.Ledger, expected: Int, daemonSaysAll: Bool) {
        let summary = ledger.summary
        let arrived = """
            The receivers confirm: \(summary.arrivedBytesMatch) of \(expected) bodies arrived with the same bytes and a \
            valid signature, \(summary.arrivedMoreThanOnce) more than once; \(summary.retryCalls) retry calls were made.
            """
        isGood =
            daemonSaysAll && summary.failedInitially == expected && summary.arrivedBytesMatch == expected
            && summary.signatureFailures == 0
        text = isGood ? arrived : arrived + "\nThe demo FAILED: not every delivery arrived as it should."
    }
}
