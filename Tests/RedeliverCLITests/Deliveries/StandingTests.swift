import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// Why a delivery is not being retried right now: each reason in its own words, and the order in which they count.
@Suite struct StandingTests {
    private let now = DeliverySample.now
    private let running = DaemonPresence.running(process: 1)

    private func standing(
        _ delivery: Delivery, _ endpoint: DeliveryHistory.Endpoint = DeliverySample.endpoint(),
        pause: DeliveryHistory.Pause? = nil, daemon: DaemonPresence? = nil
    ) -> Standing {
        let record = DeliverySample.record(delivery)
        return Standing(
            DeliverySample.history(record, endpoint: endpoint, pause: pause), daemon: daemon ?? running, at: now)
    }

    private func settled(_ record: DeliveryRecord) -> Standing {
        Standing(DeliverySample.history(record), daemon: running, at: now)
    }

    // MARK: - Settled

    @Test(arguments: [
        (
            Evidence(actor: .worker, source: .log, taskID: "t-9"),
            "delivered by the worker's attempt 2025-12-31T23:59:00Z (60 s ago), by the log entry of task t-9"
        ),
        (
            Evidence(actor: .provider, source: .log, taskID: nil),
            "delivered by the provider's attempt 2025-12-31T23:59:00Z (60 s ago), by the log entry of task t-7"
        ),
        (
            Evidence(actor: .operator, source: .answer, taskID: nil),
            "delivered by the operator's attempt 2025-12-31T23:59:00Z (60 s ago), by the answer of the retry call"
        ),
    ]) func `a delivered one says by whom and what proves it`(evidence: Evidence, sentence: String) {
        let record = DeliverySample.record(
            DeliverySample.delivery(.delivered), evidence: evidence, finalized: now - .seconds(60))
        #expect(settled(record).word == .delivered)
        #expect(settled(record).sentence == sentence)
    }

    @Test(arguments: [
        (DeadReason.attempts, "all attempts of its policy are used"),
        (.age, "its next attempt would be later than its policy's max_age"),
        (.rejected, "the provider refused the retry for good"),
        (.superseded, "a newer event of the same webhook, customer and type has arrived, and its policy says skip"),
        (.discarded, "an operator discarded it"),
        (.poison, "the provider answered its retries with 5xx while it accepted others"),
    ]) func `a dead one says why and how it is brought back`(reason: DeadReason, cause: String) {
        let record = DeliverySample.record(
            DeliverySample.delivery(.dead), dead: reason, finalized: now - .seconds(3_600 * 3))
        #expect(settled(record).word == .dead)
        #expect(
            settled(record).sentence == """
                given up 2025-12-31T21:00:00Z (3 h ago): \(cause). To begin a new cycle, run `redeliver deliveries requeue \
                id:7 --reason …`; `retry` sends it once
                """)
    }

    // MARK: - Under way

    @Test func `an attempting one says since when the call is in flight`() {
        let found = standing(DeliverySample.delivery(.attempting, called: now - .seconds(4)))
        #expect(found.word == .attempting && found.until == nil)
        #expect(found.sentence == "a retry call is in flight since 2025-12-31T23:59:56Z (4 s ago)")
    }

    @Test func `an awaiting one says how long the log has, and whether it can be read at all`() {
        let delivery = DeliverySample.delivery(
            .awaiting, called: now - .seconds(120), confirmBy: now + .seconds(480))
        let text = """
            called 2025-12-31T23:58:00Z (2 min ago); the log should show the result until 2026-01-01T00:08:00Z (in 8 min)
            """
        #expect(standing(delivery).word == .awaiting && standing(delivery).until == now + .seconds(480))
        #expect(standing(delivery).sentence == text)
        #expect(
            standing(delivery, DeliverySample.endpoint(pollError: "HTTP 502")).sentence
                == text + ". But the log cannot be read, and the wait does not end before it was: HTTP 502")
    }

    // MARK: - Held back

    @Test func `an endpoint that left the configuration counts before everything else`() {
        let found = standing(
            DeliverySample.delivery(next: now), DeliverySample.endpoint(isActive: false, held: .operator),
            daemon: .absent)
        #expect(found.word == .notConfigured && found.until == nil)
        #expect(found.sentence == "its endpoint is not in the configuration; the delivery is kept and not retried")
    }

    @Test(arguments: [
        (
            HoldReason.operator,
            "an operator paused it; to end that, run `redeliver endpoints resume core --reason …`"
        ),
        (
            .logSilent,
            """
            the log did not show three retries in a row (log_silent). A success in the log ends the hold. If this log \
            never shows retries, set confirm.by: answer; what the provider then accepts and does not deliver is lost. \
            To end the hold now, run `redeliver endpoints resume core --reason …`
            """
        ),
        (.rejected, "the provider refused three deliveries in a row (rejected)"),
        (.redirected, "the provider redirects retries, so base_url is wrong (redirected)"),
    ]) func `a held endpoint says why, since when, and what ends it`(reason: HoldReason, cause: String) {
        let held = DeliverySample.endpoint(held: reason, since: now - .seconds(600))
        let trial = DeliverySample.endpoint(held: reason, since: now - .seconds(600), until: now + .seconds(300))
        let delivery = DeliverySample.delivery(next: now)
        let text = "its endpoint core is held since 2025-12-31T23:50:00Z (10 min ago): \(cause)"

        #expect(standing(delivery, held).word == .held && standing(delivery, held).until == nil)
        #expect(standing(delivery, held).sentence == text)
        #expect(
            standing(delivery, trial).sentence == text + "; one delivery is tried 2026-01-01T00:05:00Z (in 5 min)")
        #expect(standing(delivery, trial).until == now + .seconds(300))
    }

    @Test func `an open circuit says since when, what it costs, when it is tried, and what ends it`() {
        let open = EndpointCircuit.Phase.open(since: now - .seconds(600), nextTrial: now + .seconds(120))
        let delivery = DeliverySample.delivery(next: now - .seconds(60))
        let held = standing(delivery, DeliverySample.endpoint(circuit: open))
        #expect(held.word == .held && held.until == now + .seconds(120))
        #expect(
            held.sentence == """
                its endpoint core is held since 2025-12-31T23:50:00Z (10 min ago): its receiver fails for all deliveries \
                (circuit). The wait uses no attempt and no age; one delivery is tried 2026-01-01T00:02:00Z (in 2 min), and \
                any arrival makes all held deliveries due. To end the hold now, run `redeliver endpoints resume core \
                --reason …`
                """)
        let tried = standing(delivery, DeliverySample.endpoint(circuit: open, trial: "t-9"))
        #expect(tried.until == nil && tried.sentence.contains("the trial of task t-9 is under way"))
    }

    @Test func `an operator's pause is told before the circuit, and an operator's retry passes the circuit`() {
        let open = EndpointCircuit.Phase.open(since: now - .seconds(600), nextTrial: now + .seconds(120))
        let paused = DeliverySample.endpoint(held: .operator, since: now - .seconds(60), circuit: open)
        let delivery = DeliverySample.delivery(next: now - .seconds(60))
        #expect(standing(delivery, paused).sentence.contains("an operator paused it"))
        let manual = DeliverySample.delivery(
            next: now - .seconds(1), manual: ManualRetry(asked: now - .seconds(5), kept: .attempt(at: now)))
        #expect(standing(manual, DeliverySample.endpoint(circuit: open)).word == .due)
    }

    @Test func `a drain says how many calls may be open`() {
        let standing = standing(
            DeliverySample.delivery(next: now - .seconds(1)), DeliverySample.endpoint(circuit: .draining(limit: 4)))
        #expect(standing.word == .due && standing.sentence.contains("at most 4 of its calls are open at once"))
    }

    @Test func `an operator's retry passes every hold but an operator's pause`() {
        let asked = ManualRetry(asked: now - .seconds(5), kept: .attempt(at: now + .seconds(900)))
        let delivery = DeliverySample.delivery(next: now, manual: asked)
        for reason in HoldReason.allCases {
            let word = standing(delivery, DeliverySample.endpoint(held: reason)).word
            #expect(word == (reason == .operator ? .held : .due), "\(reason)")
        }
    }

    // MARK: - Waiting, and due

    @Test func `one whose time has not come says when it comes`() {
        let next = now + .seconds(90)
        let found = standing(DeliverySample.delivery(next: next), daemon: .absent)
        #expect(found == standing(DeliverySample.delivery(next: next)))
        #expect(found.word == .waiting && found.until == next)
        #expect(found.sentence == "waits for its next attempt: 2026-01-01T00:01:30Z (in 90 s)")
        let manual = ManualRetry(asked: now, kept: .dead(.age))
        #expect(
            standing(DeliverySample.delivery(next: next, manual: manual)).sentence
                == "an operator asked for a retry; it waits for its turn: 2026-01-01T00:01:30Z (in 90 s)")
    }

    @Test func `without a daemon nothing that is due is sent, and an old pause means nothing`() {
        let pause = DeliveryHistory.Pause(reason: "credential", since: now, until: nil)
        let found = standing(DeliverySample.delivery(next: now), pause: pause, daemon: .absent)
        #expect(found.word == .noDaemon && found.until == nil)
        #expect(found.sentence == "due, but no daemon works on this database; start one with `redeliver run`")
    }

    @Test(arguments: [
        ("throttled", "the provider asked to slow down (HTTP 429)"),
        ("unavailable", "the provider is not available (HTTP 503 or 425)"),
        ("outage", "the provider does not answer"), ("a later word", "a later word"),
    ]) func `while no calls are made it says why, since when and until when`(reason: String, cause: String) {
        let until = now + .seconds(40)
        let pause = DeliveryHistory.Pause(reason: reason, since: now - .seconds(20), until: until)
        let found = standing(DeliverySample.delivery(next: now), pause: pause)
        #expect(found.word == .paused && found.until == until)
        #expect(
            found.sentence == """
                due, but the daemon makes no calls since 2025-12-31T23:59:40Z (20 s ago), until 2026-01-01T00:00:40Z (in 40 s): \
                \(cause)
                """)
    }

    @Test func `a refused credential has no end by itself`() {
        let pause = DeliveryHistory.Pause(reason: "credential", since: now - .seconds(600), until: nil)
        let found = standing(DeliverySample.delivery(next: now), pause: pause)
        #expect(found.word == .paused && found.until == nil)
        #expect(
            found.sentence == """
                due, but the daemon makes no calls since 2025-12-31T23:50:00Z (10 min ago), until the credential works: \
                the provider refuses the credential, or forbids it everything; `redeliver doctor` says why
                """)
    }

    @Test(arguments: [DaemonPresence.running(process: nil), .unknown(cause: "Permission denied")])
    func `one that is due only waits for the rate limit, also after a pause that is over`(daemon: DaemonPresence) {
        let over = DeliveryHistory.Pause(reason: "outage", since: now - .seconds(60), until: now)
        let found = standing(DeliverySample.delivery(next: now - .seconds(1)), pause: over, daemon: daemon)
        #expect(found.word == .due && found.until == nil)
        #expect(found.sentence == "due: sent as soon as the rate limit allows")
    }

    @Test func `a due one that waits for a look at its log says since when and why`() {
        var record = DeliverySample.record(DeliverySample.delivery(next: now - .seconds(90), manual: nil))
        record.lookWanted = now - .seconds(60)
        func sentence() -> String { Standing(DeliverySample.history(record), daemon: running, at: now).sentence }
        #expect(
            sentence() == """
                due, and waits since 2025-12-31T23:59:00Z (60 s ago) for a look at its endpoint's log, which takes long. The log \
                may show that the delivery has arrived, so it is not called before
                """)
        let list = DeliveryList([record]).table(at: now).csv(on: .plain)
        #expect(list.contains(",no look since 60 s ago,"))
        record.lastPollError = "HTTP 502"
        #expect(DeliveryList([record]).table(at: now).csv(on: .plain).contains(",no look since 60 s ago: HTTP 502,"))
        record.isBehindGap = true
        record.unreadSince = now - .seconds(7_200)
        #expect(DeliveryList([record]).table(at: now).csv(on: .plain).contains(",log unread since 2 h ago: HTTP 502,"))
        record.isBehindGap = false

        record.lookWanted = nil
        #expect(sentence().hasPrefix("due: sent as soon as"))
    }

    @Test func `one that is due says who asked for it, and that its log cannot be read`() {
        let asked = ManualRetry(asked: now - .seconds(5), kept: .dead(.age))
        let found = standing(
            DeliverySample.delivery(next: now, manual: asked), DeliverySample.endpoint(pollError: "HTTP 502"))
        #expect(
            found.sentence == """
                due (an operator asked for it 5 s ago): sent as soon as the rate limit allows; nothing is \
                called before the endpoint's log was read, and reading fails: HTTP 502
                """)
    }
}
