import DeliveryQueue

extension ChaosTruth {
    /// Whether the worker may make this call, as far as the protocol tells: its intent is stored, no other call of the
    /// delivery is in flight, and the outcome of the one before is known, or its log was silent for long enough.
    ///
    /// - Parameter isOwnName: the delivery has the task id of the event's first row; false: a retry's row became a
    ///   delivery of its own, which only a wrong clock explains, or a missing customer to look by.
    mutating func judge(_ standing: ChaosWatch.Standing?, event: Int, isOwnName: Bool, at now: Duration) {
        guard let standing, let newest = standing.attempts.first, newest.leaseToken == standing.leaseToken,
            newest.answer == nil || newest.answer == "interrupted"
        else {
            return violate(
                "a call's intent is on record before it begins", "event \(event), \(standing as Any)", at: now)
        }
        let lease = "\(standing.deliveryID) \(standing.leaseToken)"
        if let other = calls.last(where: { $0.event == event && $0.ended > now }),
            (other.deliveryID, other.leaseToken) != (standing.deliveryID, standing.leaseToken),
            other.deliveryID == standing.deliveryID || !hasUnknownRows
        {
            violate("never two calls of one delivery are in flight", "event \(event), \(other), \(standing)", at: now)
        }
        if !isOwnName, !hasUnknownRows, plan.events[event].customerID != "null" {
            violate("a retry that failed again is no new failure", "event \(event), \(standing)", at: now)
        }
        // The same attempt again, with another token.
        guard callByLease[lease] == nil, !newest.isManual else { return }
        judgeArrival(standing, event: event, isOwnName: isOwnName, at: now)
        if let previous = standing.attempts.dropFirst().first {
            judge(previous, before: standing, event: event, at: now)
        }
    }

    /// Whether the call was claimed by our clock, which is right, and not by a date that stood still.
    mutating func judgeClock(_ standing: ChaosWatch.Standing?, at now: Duration) {
        guard let standing, let intent = standing.attempts.first?.intent else { return }
        let most = Self.longestBeginning + RetryRules.clockTolerance
        guard !(0...most.wholeMilliseconds).contains(stamp(now) - intent + 1_000) else { return }
        violate("a date that stands still does not put the clock back", "\(standing)", at: now)
    }

    /// Rows whose owner a wrong clock hides.
    var hasUnknownRows: Bool {
        (plan.log.trace == .namedNewID || plan.log.trace == .unnamedNewID) && plan.hasClockTrouble
    }

    /// The longest that it takes from a claim to the call's beginning.
    private static let longestBeginning = ChaosPlan.requestTimeout * 5

    private mutating func judgeArrival(
        _ standing: ChaosWatch.Standing, event: Int, isOwnName: Bool, at now: Duration
    ) {
        let rows = rows[plan.events[event].endpoint]
        let seen = rows.first { row in
            row.event == event && row.outcome == .succeeded
                && (row.taskText == plan.events[event].taskText || !hasUnknownRows)
                && row.committed.map { $0 < now - Self.longestBeginning } ?? false
        }
        if let seen, isOwnName {
            violate("what the log showed as delivered is not sent again", "\(seen), \(standing)", at: now)
        }
        guard isOwnName, let shown = shownInTime(event, at: now) else { return }
        violate(
            "no call is made that a log read in time would have shown as needless", "\(shown), \(standing)", at: now)
    }

    /// How long after it is visible a look must have seen an entry at the top of the log: `retry.fresh_within`, or
    /// twice the time of a look at a log that is long, and a moment for the call to begin.
    private static let lookLimit = Duration.seconds(12)
    /// An entry that is logged late stands deeper, and is seen when the overlap is read again.
    private static let deepLimit = lookLimit + .seconds(300)

    /// An entry that the log has shown for so long that a look before the call must have met it.
    private func shownInTime(_ event: Int, at now: Duration) -> Row? {
        let endpoint = plan.events[event].endpoint
        guard !plan.hasClockTrouble, plan.log.trace != .silent else { return nil }
        guard plan.excuse(forLookAt: endpoint, at: now) == nil else { return nil }
        let isDeep = isDeep(endpoint)
        return rows[endpoint].first { row in
            guard row.event == event, row.outcome == .succeeded, !row.isGarbled, !row.isUnnamed,
                row.taskText == plan.events[event].taskText, row.hidden.map({ $0 > now }) ?? true
            else { return false }
            let age = now - row.visible
            let stamped = Timestamp(milliseconds: row.changed ?? row.created) - Self.beginning
            let isOnTop = row.visible - stamped <= .seconds(5) && !(isDeep && row.changed != nil)
            // With `confirm.by: answer` no old row is read again before a call.
            guard isOnTop || !plan.goesByAnswers || plan.log.trace != .inPlace else { return false }
            return age > (isOnTop ? Self.lookLimit : Self.deepLimit)
        }
    }

    /// Whether a row that is changed in place may stand deeper than a usual look goes (20 pages).
    private func isDeep(_ endpoint: Int) -> Bool { rows[endpoint].count > 20 * plan.log.pageSize }

    private mutating func judge(
        _ previous: ChaosWatch.Attempt, before standing: ChaosWatch.Standing, event: Int, at now: Duration
    ) {
        let call = callByLease["\(standing.deliveryID) \(previous.leaseToken)"].map { calls[$0] }
        switch previous.outcome {
        case nil, "delivered":
            violate(
                "a call follows a failure, silence or an operator", "\(standing)", at: now)
        case "not_executed":
            guard let call, call.isExecuted else { return }
            violate("what counts as not executed was not executed", "\(call), \(standing)", at: now)
        case "failed":
            let alike = plan.alike(event)
            let isShown = rows[plan.events[event].endpoint].contains {
                alike.contains($0.event) && $0.outcome == .failed && $0.visible <= now
                    && ($0.changed ?? $0.created) + RetryRules.clockTolerance.wholeMilliseconds >= previous.intent
            }
            guard !isShown, !stillSaysFailure(alike, endpoint: plan.events[event].endpoint, call, at: now) else {
                return
            }
            violate("a call counts as failed when the log shows it", "\(standing)", at: now)
        case "unconfirmed":
            let least = plan.variants.map(\.confirmWithin).min() ?? .zero
            guard let call, !plan.hasClockTrouble, now - call.began < least else { return }
            violate("silence counts when it has lasted", "\(call), \(standing)", at: now)
        default: return
        }
    }

    /// Whether an answer alone has proved the call, and the old row, which would have changed, still says failure when
    /// the call's time is over.
    private func stillSaysFailure(_ alike: [Int], endpoint: Int, _ call: Call?, at now: Duration) -> Bool {
        guard plan.goesByAnswers, plan.log.trace == .inPlace, let call else { return false }
        let least = plan.variants.map(\.confirmWithin).min() ?? .zero
        return now - call.began >= least
            && rows[endpoint].contains { alike.contains($0.event) && $0.outcome == .failed && $0.visible <= call.began }
    }

    /// Keeps a call that is in flight.
    mutating func begin(
        _ event: Int, _ standing: ChaosWatch.Standing?, _ verdict: RetryVerdict, at now: Duration
    ) {
        let (delivery, token) = (standing?.deliveryID ?? 0, standing?.leaseToken ?? 0)
        callByLease["\(delivery) \(token)"] = calls.count
        calls.append(
            Call(
                event: event, deliveryID: delivery, leaseToken: token, began: now,
                ended: now + min(verdict.delay, ChaosPlan.requestTimeout),
                isExecuted: verdict.isExecuted))
    }
}
