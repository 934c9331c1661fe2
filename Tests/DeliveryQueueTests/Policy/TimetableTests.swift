import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct TimetableTests {
    private func policy(
        _ spacing: RetryPolicy.Spacing = RetryPolicy.defaultSpacing, jitter: Double = 0, maxAge: Duration = .hours(72)
    ) -> RetryPolicy {
        RetryPolicy(spacing: spacing, jitter: jitter, maxAge: maxAge)
    }

    private func delivery(
        _ task: String = "t", state: DeliveryState = .scheduled, used: Int = 0, next: Timestamp? = nil,
        cycle: Int = 1, cycleStarted: Timestamp = start
    ) -> Delivery {
        Delivery(
            id: 1, endpointID: "e", taskID: task, eventType: "profile_*", customerID: nil, webhookID: "w",
            state: state, cycle: cycle, cycleStarted: cycleStarted, attemptsUsed: used, firstFailed: start,
            lastFailed: start, nextAttempt: next, leaseToken: 1, called: nil, confirmBy: nil, serverErrors: 0,
            serverErrorsSince: nil, notFoundAnswers: 0)
    }

    // MARK: - Of a policy

    @Test func `the built-in policy has 14 attempts over 65 h 3 min`() {
        let timetable = Timetable(.standard)

        #expect(
            timetable.attempts.map(\.wait) == [
                .minutes(1), .minutes(2), .minutes(4), .minutes(8), .minutes(16), .minutes(32), .minutes(64),
                .minutes(128), .minutes(256), .minutes(512), .hours(12), .hours(12), .hours(12), .hours(12),
            ])
        #expect(timetable.attempts.map(\.number) == Array(1...14))
        #expect(timetable.attempts.map(\.earliest).prefix(4) == [.minutes(1), .minutes(3), .minutes(7), .minutes(15)])
        #expect(timetable.span == .hours(65) + .minutes(3))
        #expect(timetable.longestSpan == .seconds((65 * 60 + 3) * 66))
        #expect(timetable.attempts.allSatisfy { $0.chance == .certain })
    }

    @Test func `jitter only adds, to each wait and to all that follow`() {
        let timetable = Timetable(policy(.listed([.seconds(100), .seconds(200)]), jitter: 0.5))

        #expect(timetable.attempts.map(\.longestWait) == [.seconds(150), .seconds(300)])
        #expect(timetable.attempts.map(\.earliest) == [.seconds(100), .seconds(300)])
        #expect(timetable.attempts.map(\.latest) == [.seconds(150), .seconds(450)])
    }

    @Test(arguments: [
        (300_000, Timetable.Chance.certain), (299_999, .jitter), (200_000, .jitter), (199_999, .never), (0, .never),
    ]) func `max_age cuts an attempt off, exactly at its millisecond`(limit: Int, chance: Timetable.Chance) {
        let spacing = RetryPolicy.Spacing.listed([.seconds(200)])
        let timetable = Timetable(policy(spacing, jitter: 0.5, maxAge: .milliseconds(limit)))

        #expect(timetable.attempts.map(\.chance) == [chance])
        #expect(timetable.possible.count == (chance == .never ? 0 : 1))
        #expect(timetable.longestSpan == (chance == .never ? .zero : .milliseconds(limit)))
    }

    @Test func `after an attempt that cannot happen none can`() {
        let waits: [Duration] = [.hours(1), .hours(5), .zero, .zero]
        let timetable = Timetable(policy(.listed(waits), maxAge: .hours(2)))

        #expect(timetable.attempts.map(\.chance) == [.certain, .never, .never, .never])
        #expect(timetable.possible.count == 1 && timetable.span == .hours(1))
    }

    @Test func `a policy without attempts has an empty timetable`() {
        let timetable = Timetable(policy(.listed([])))

        #expect(timetable.attempts.isEmpty && timetable.span == .zero && timetable.longestSpan == .zero)
    }

    @Test func `absurd waits do not overflow`() {
        let forever = Duration.seconds(Int64.max)
        let timetable = Timetable(policy(.listed([forever, forever, forever]), jitter: 1, maxAge: .hours(1)))

        #expect(timetable.attempts.allSatisfy { $0.chance == .never })
    }

    // MARK: - Of a delivery

    @Test func `what is left of a delivery is what the rules will do`() {
        let standard = RetryPolicy.standard
        let rules = RetryRules()
        for number in 0..<200 {
            var walked = delivery("task-\(number)")
            var expected: [Timestamp] = []
            var transition = rules.discovered(walked)
            while case .schedule(let at, _) = transition {
                expected.append(at)
                transition = rules.retryFailed(walked, at: at)
                walked.attemptsUsed += 1
            }
            let found = Timetable.remaining(
                for: delivery("task-\(number)", next: expected.first), policy: standard, at: start)

            #expect(found.attempts.map(\.at) == expected && found.attempts.map(\.number) == Array(1...14))
            #expect(found.end == .attempts)
            for (attempt, planned) in zip(found.attempts, Timetable(standard).attempts) {
                #expect((planned.earliest...planned.latest).contains(attempt.at - start))
            }
        }
    }

    /// With a limit within the range of the jitter, each delivery agrees with the chance that the timetable names.
    @Test func `certain attempts happen, impossible ones do not, and jitter decides the others`() {
        let tight = policy(.listed([.hours(1), .hours(1), .hours(1)]), jitter: 1, maxAge: .minutes(200))
        #expect(Timetable(tight).attempts.map(\.chance) == [.certain, .jitter, .jitter])
        let counts = (0..<300).map { number in
            let fresh = delivery("task-\(number)")
            var first = fresh
            first.nextAttempt =
                switch RetryRules(policies: PolicyBook(entries: [.init(events: ["*"], policy: tight)])).discovered(
                    fresh)
                {
                case .schedule(let at, _): at
                default: nil
                }
            let found = Timetable.remaining(for: first, policy: tight, at: start)
            #expect(found.attempts.allSatisfy { $0.at - start <= .minutes(200) })
            #expect(found.end == (found.attempts.count == 3 ? .attempts : .age))
            return found.attempts.count
        }
        #expect(Set(counts) == [1, 2, 3])
    }

    @Test func `what is due already counts as happening now`() {
        let late = start + .minutes(30)
        let found = Timetable.remaining(
            for: delivery(used: 2, next: start + .minutes(5)), policy: policy(), at: late)

        #expect(found.attempts.prefix(2).map(\.at) == [late, late + .minutes(8)])
        #expect(found.attempts.first?.number == 3 && found.attempts.count == 12)
    }

    @Test(arguments: [DeliveryState.attempting, .awaiting])
    func `a call in flight is no future attempt, and counts as failing now`(state: DeliveryState) {
        let found = Timetable.remaining(for: delivery(state: state, used: 12), policy: policy(), at: start + .hours(1))

        #expect(found == .init(attempts: [.init(number: 14, at: start + .hours(13))], end: .attempts))
    }

    @Test func `the last attempt in flight leaves nothing but the end`() {
        let found = Timetable.remaining(for: delivery(state: .awaiting, used: 13), policy: policy(), at: start)

        #expect(found == .init(attempts: [], end: .attempts))
    }

    @Test func `age counts from the beginning of the cycle`() {
        let begun = start + .days(30)
        let found = Timetable.remaining(
            for: delivery(used: 10, next: begun, cycle: 2, cycleStarted: begun), policy: policy(maxAge: .hours(30)),
            at: begun)

        #expect(found.attempts.map(\.at) == [begun, begun + .hours(12), begun + .hours(24)])
        #expect(found.end == .age)
    }

    @Test(arguments: [DeliveryState.delivered, .dead])
    func `nothing is left of a delivery that is over`(state: DeliveryState) {
        #expect(Timetable.remaining(for: delivery(state: state), policy: policy(), at: start) == .init())
    }
}
