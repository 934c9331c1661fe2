/// When a policy tries a delivery, counted from its failure, if each attempt fails at once. A real delivery is later by
/// the time that its attempts take to fail.
package struct Timetable: Sendable, Equatable {
    /// Whether `max_age` lets an attempt begin, judged as in `RetryRules`: when the failure before it is recorded.
    package enum Chance: String, Sendable, CaseIterable {
        case certain
        /// Only if the waits before it get little jitter.
        case jitter
        /// `max_age` ends before it: neither this attempt nor a later one happens.
        case never
    }

    package struct Attempt: Sendable, Equatable {
        /// The first is 1.
        package let number: Int
        /// Since the failure before it, without jitter.
        package let wait: Duration
        /// With all the jitter that its policy may add.
        package let longestWait: Duration
        /// Since the first failure, without any jitter.
        package let earliest: Duration
        /// Since the first failure, with all jitter; at most `max_age` where the attempt depends on jitter.
        package let latest: Duration
        package let chance: Chance
    }

    /// All attempts of the policy, also those that can never happen.
    package let attempts: [Attempt]

    package init(_ policy: RetryPolicy) {
        var attempts: [Attempt] = []
        var (earliest, latest) = (Duration.zero, Duration.zero)
        var number = 1
        while let wait = policy.wait(beforeAttempt: number) {
            let extra = Int64(Double(wait.wholeMilliseconds) * policy.jitter)
            let longest = wait + .milliseconds(extra)
            earliest += wait
            latest += longest
            let chance: Chance = latest <= policy.maxAge ? .certain : earliest <= policy.maxAge ? .jitter : .never
            attempts.append(
                Attempt(
                    number: number, wait: wait, longestWait: longest, earliest: earliest,
                    latest: chance == .jitter ? policy.maxAge : latest, chance: chance))
            number += 1
        }
        self.attempts = attempts
    }

    /// The attempts that can happen.
    package var possible: ArraySlice<Attempt> {
        attempts.prefix { $0.chance != .never }
    }

    /// From the first failure to the last attempt that can happen, without jitter; zero when none can.
    package var span: Duration { possible.last?.earliest ?? .zero }
    /// The same time with all jitter; never beyond `max_age`.
    package var longestSpan: Duration { possible.last?.latest ?? .zero }
}

extension Timetable {
    /// The attempts that one delivery has left, with the jitter that it really gets.
    package struct Remaining: Sendable, Equatable {
        package struct Attempt: Sendable, Equatable {
            /// Within the delivery's cycle.
            package let number: Int
            package let at: Timestamp
        }

        package var attempts: [Attempt] = []
        /// Why it dies after the last of them; nil for a delivery that is already delivered or dead.
        package var end: DeadReason?
    }

    /// The attempts that a delivery has left, if each fails at once and a call in flight fails now. The policy
    /// decides them, so what is shown is what is done.
    ///
    /// - Parameter now: an attempt that is already due counts as happening now.
    package static func remaining(for delivery: Delivery, policy: RetryPolicy, at now: Timestamp) -> Remaining {
        guard delivery.state.isOpen else { return Remaining() }
        var delivery = delivery
        // A failed trial would use no attempt and tell no end: what is shown is the schedule once its endpoint is back.
        delivery.isTrial = false
        var remaining = Remaining()
        var failed = now
        if delivery.state == .scheduled, let next = delivery.nextAttempt {
            failed = max(next, now)
            remaining.attempts.append(.init(number: delivery.attemptsUsed + 1, at: failed))
        }
        while case .schedule(let at, usesAttempt: true) = policy.retryFailed(delivery, at: failed) {
            delivery.attemptsUsed += 1
            remaining.attempts.append(.init(number: delivery.attemptsUsed + 1, at: at))
            failed = at
        }
        if case .die(let reason, _) = policy.retryFailed(delivery, at: failed) { remaining.end = reason }
        return remaining
    }
}
