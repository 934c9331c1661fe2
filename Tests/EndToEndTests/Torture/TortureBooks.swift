import Foundation
import Testing

/// The database, the metrics file and the sandbox's ledger after a round has come to rest: they must tell the same
/// story.
struct TortureBooks {
    let redeliver: RedeliverProcess
    let ledger: SandboxLedger
    let seed: UInt64

    private var story: Comment { "seed \(seed)" }

    func compare(into tally: inout TortureTally) async throws {
        try countLosses(into: &tally)
        try countRepeats(into: &tally)
        try expectOneFinalState(into: &tally)
        try expectAnIntentForEachCall()
        try expectMetrics()
    }

    /// Every failure arrived, and the database has it with the hash of its body.
    private func countLosses(into tally: inout TortureTally) throws {
        let hashes = try redeliver.texts(
            """
            SELECT lower(hex(sha256)) FROM delivery_body JOIN delivery ON delivery.id = delivery_id
            WHERE state = 'delivered'
            """
        )
        let lost = ledger.failures.filter { $0.arrived == 0 || !$0.bytesMatch || !hashes.contains($0.bodySha256) }
        #expect(lost.map(\.taskId) == [], story)
        #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == ledger.failures.count, story)
        #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state <> 'delivered'") == 0, story)
        #expect(ledger.summary.retryMismatches == 0 && ledger.summary.signatureFailures == 0, story)
        tally.lost += lost.count
        tally.deliveries += ledger.failures.count
    }

    /// A second call follows only what the log or an answer said of the first, or its silence past the deadline. This
    /// log shows all that was executed, in time, so nothing arrives twice.
    private func countRepeats(into tally: inout TortureTally) throws {
        #expect(try redeliver.number(TortureHistory.blindRepeats) == 0, story)
        #expect(ledger.summary.maxConcurrentRetriesPerTask <= 1 && ledger.summary.retriesWhilePending == 0, story)
        #expect(ledger.summary.arrivedMoreThanOnce == 0, story)
        let unconfirmed = try redeliver.number("SELECT COUNT(*) FROM torture_history WHERE event = 'call unconfirmed'")
        #expect(
            try redeliver.number("SELECT coalesce(SUM(value), 0) FROM counter WHERE name = 'unconfirmed'")
                == unconfirmed, story)
        #expect(try redeliver.settledAttempts() == ledger.executedRetries, story)
        tally.repeats += ledger.failures.reduce(0) { $0 + max(0, $1.arrived - 1) }
        tally.unconfirmed += unconfirmed
        tally.calls += ledger.summary.retryCalls
        tally.executed += ledger.summary.retriesExecuted
    }

    private func expectOneFinalState(into tally: inout TortureTally) throws {
        let twice = try redeliver.number(TortureHistory.finalTwice)
        #expect(twice == 0, story)
        tally.finalTwice += twice
        let finalized = try redeliver.number(
            "SELECT coalesce(SUM(value), 0) FROM counter WHERE name = 'deliveries_finalized'")
        #expect(finalized == ledger.failures.count, story)
        #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome IS NULL") == 0, story)
    }

    /// Each call that the provider saw was announced by an intent of its own, committed before the call.
    private func expectAnIntentForEachCall() throws {
        var intents: [String: [Int]] = [:]
        for line in try redeliver.texts(
            "SELECT task_id || ' ' || intent_ms FROM attempt JOIN delivery ON delivery.id = delivery_id ORDER BY attempt.id"
        ) {
            let parts = line.split(separator: " ")
            intents[String(parts[0]), default: []].append(Int(parts[1]) ?? 0)
        }
        for call in ledger.retries {
            let task = call.taskId ?? ""
            let index = intents[task]?.lastIndex { $0 <= call.atMs }
            #expect(index != nil, "\(story): a call for \(task) without an intent")
            if let index { intents[task]?.remove(at: index) }
        }
    }

    private func expectMetrics() throws {
        let metrics = try MetricsFile(redeliver.metrics)
        #expect(metrics.duplicates.isEmpty, story)
        #expect(metrics.sum("redeliver_deliveries_finalized_total", "delivered") == ledger.failures.count, story)
        #expect(metrics.sum("redeliver_deliveries_finalized_total", "dead") == 0, story)
        let unconfirmed = try redeliver.number("SELECT coalesce(SUM(value), 0) FROM counter WHERE name = 'unconfirmed'")
        #expect(metrics.sum("redeliver_unconfirmed_total") == unconfirmed, story)
    }
}
