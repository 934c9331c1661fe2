import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct RetryRulesTests {
    private let rules = RetryRules.exact()

    /// A scheduled delivery that failed at `start`.
    private func delivery(
        used: Int = 0, serverErrors: Int = 0, notFound: Int = 0, forbidden: Timestamp? = nil,
        cycleStarted: Timestamp = start, type: String = "profile_update", manual: ManualRetry? = nil
    ) -> Delivery {
        Delivery(
            id: 1, endpointID: "e", taskID: "t", eventType: type, customerID: nil, webhookID: "w", state: .attempting,
            cycle: 1, cycleStarted: cycleStarted, attemptsUsed: used, firstFailed: start, lastFailed: start,
            nextAttempt: nil, leaseToken: 1, called: start, confirmBy: nil, serverErrors: serverErrors,
            serverErrorsSince: nil, notFoundAnswers: notFound, forbiddenSince: forbidden,
            manual: manual)
    }

    // MARK: - The table of answers

    @Test(arguments: [
        (Reply.accepted, Transition.await(until: start + .minutes(10)), AttemptEnd?.none),
        (.uncertain, .await(until: start + .minutes(10)), nil),
        (.serverError, .await(until: start + .minutes(10)), nil),
        (.notExecuted(pause: .seconds(7)), .schedule(at: start + .seconds(7), usesAttempt: false), .notExecuted),
        (.notFound, .schedule(at: start + .hours(1), usesAttempt: false), .notExecuted),
        (.deliveryForbidden, .schedule(at: start + .hours(1), usesAttempt: false), .notExecuted),
        (.rejected, .die(.rejected, usesAttempt: true), .refused),
        (.redirected, .schedule(at: start + .hours(1), usesAttempt: false), .notExecuted),
    ])
    func `each answer means what the table says`(reply: Reply, transition: Transition, end: AttemptEnd?) {
        #expect(answer(reply) == transition)
        #expect(
            rules.answered(reply.answer, for: delivery(), pause: reply.pause, at: start, othersPass: false).end == end)
    }

    /// What an answer does to a delivery.
    private func answer(
        _ reply: Reply, _ delivery: Delivery? = nil, by rules: RetryRules? = nil, othersPass: Bool = false
    ) -> Transition {
        (rules ?? self.rules).answered(
            reply.answer, for: delivery ?? self.delivery(), pause: reply.pause, at: start, othersPass: othersPass
        ).transition
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `a 403 kills only the second time, and only when another call was taken on meanwhile`(
        isSecond: Bool, othersPass: Bool
    ) {
        let forbidden = delivery(forbidden: isSecond ? start - .hours(1) : nil)

        #expect(
            answer(.deliveryForbidden, forbidden, othersPass: othersPass)
                == (isSecond && othersPass
                    ? .die(.rejected, usesAttempt: true) : .schedule(at: start + .hours(1), usesAttempt: false)))
    }

    @Test(arguments: Answer.allCases)
    func `confirmation by answer takes a 2xx as proof, and nothing else`(_ answer: Answer) {
        #expect(RetryRules.exact(confirm: .answer).answerProves(answer) == (answer == .accepted))
        #expect(!rules.answerProves(answer))
    }

    @Test func `the wait for the log is configurable`() {
        #expect(answer(.accepted, by: RetryRules(confirmWithin: .minutes(3))) == .await(until: start + .minutes(3)))
    }

    @Test(arguments: [
        (3, true, Transition.await(until: start + .minutes(10))),
        (4, true, .die(.poison, usesAttempt: true)),
        (5, true, .die(.poison, usesAttempt: true)),
        (4, false, .await(until: start + .minutes(10))),
        (400, false, .await(until: start + .minutes(10))),
    ])
    func `the fifth 5xx in a row is poison only while others pass`(
        before: Int, othersPass: Bool, transition: Transition
    ) {
        #expect(answer(.serverError, delivery(serverErrors: before), othersPass: othersPass) == transition)
    }

    @Test func `the second 404 is final`() {
        #expect(answer(.notFound, delivery(notFound: 1), othersPass: true) == .die(.rejected, usesAttempt: true))
    }

    // MARK: - Limits

    @Test func `a new failure waits its first delay from the failure, however late it is found`() {
        #expect(rules.discovered(delivery()) == .schedule(at: start + .minutes(1), usesAttempt: false))
    }

    @Test(arguments: [(0, 2), (1, 4), (8, 512), (9, 720), (12, 720)])
    func `a failed retry uses one attempt and waits the next delay`(used: Int, minutes: Int) {
        let next = rules.retryFailed(delivery(used: used), at: start)

        #expect(next == .schedule(at: start + .minutes(minutes), usesAttempt: true))
    }

    @Test func `the provider's own failure moves the next attempt and uses none`() {
        let next = rules.providerFailed(delivery(used: 3), at: start + .minutes(5))

        #expect(next == .schedule(at: start + .minutes(5 + 8), usesAttempt: false))
    }

    @Test func `after the 14th failed retry the attempts are used up`() {
        #expect(rules.retryFailed(delivery(used: 13), at: start) == .die(.attempts, usesAttempt: true))
    }

    @Test func `a policy without attempts gives a failure up at once`() {
        let rules = RetryRules.exact(.listed([]))

        #expect(rules.discovered(delivery()) == .die(.attempts, usesAttempt: false))
    }

    @Test func `an attempt may begin exactly at the age limit and not a millisecond later`() {
        let rules = RetryRules.exact(.listed([.hours(1), .hours(1)]), maxAge: .hours(5))
        let edge = start + .hours(4)

        #expect(
            rules.retryFailed(delivery(), at: edge) == .schedule(at: start + .hours(5), usesAttempt: true))
        #expect(
            rules.retryFailed(delivery(), at: edge + .milliseconds(1)) == .die(.age, usesAttempt: true))
    }

    @Test func `whichever limit is reached first wins`() {
        let late = rules.retryFailed(delivery(used: 12), at: start + .hours(61))

        #expect(late == .die(.age, usesAttempt: true))
        #expect(rules.retryFailed(delivery(used: 13), at: start + .hours(61)) == .die(.attempts, usesAttempt: true))
    }

    @Test func `the age counts from the requeue, not from the first failure`() {
        let requeued = delivery(cycleStarted: start + .days(30))

        #expect(
            rules.retryFailed(requeued, at: start + .days(30) + .hours(1))
                == .schedule(at: start + .days(30) + .hours(1) + .minutes(2), usesAttempt: true))
    }

    @Test(arguments: [
        Reply.accepted, .uncertain, .serverError, .notExecuted(pause: .seconds(7)), .notFound,
        .redirected, .deliveryForbidden,
    ])
    func `no answer gives a delivery up for its age`(reply: Reply) {
        let old = delivery(used: 13, cycleStarted: start - .days(365))

        #expect(answer(reply, old).target != .dead)
    }

    @Test func `an attempt far in the future or past does not overflow`() {
        let rules = RetryRules.exact(.listed([.seconds(Int64.max), .seconds(Int64.max)]), maxAge: .seconds(Int64.max))

        #expect(
            rules.retryFailed(delivery(), at: Timestamp(milliseconds: .max)).target == .dead
                || rules.retryFailed(delivery(), at: Timestamp(milliseconds: .max)).target == .scheduled)
        #expect(
            answer(.notExecuted(pause: .seconds(Int64.max)), by: rules).target == .scheduled)
    }

    @Test func `the policy is that of the event type`() {
        let rules = RetryRules(
            policies: PolicyBook(entries: [
                .init(events: ["document_*"], policy: RetryPolicy(spacing: .listed([.hours(3)]), jitter: 0))
            ]))

        #expect(
            rules.discovered(delivery(type: "document_upload"))
                == .schedule(at: start + .hours(3), usesAttempt: false))
    }

    @Test func `a decision is the same each time it is made`() {
        let rules = RetryRules()

        #expect(rules.retryFailed(delivery(used: 2), at: start) == rules.retryFailed(delivery(used: 2), at: start))
    }
}
