import DeliverySimulation
import Foundation

extension ChaosTruth {
    /// What the provider does with a retry, and how it answers.
    struct RetryVerdict: Sendable {
        enum Answer: Sendable {
            case status(Int, body: String, headers: [String: String] = [:])
            case refusedConnection
            case timeout
        }

        var answer: Answer
        var delay: Duration
        var isExecuted: Bool
    }

    /// - Parameter fault: nil: the provider does as it should.
    mutating func verdict(_ fault: ChaosPlan.CallFault?) -> RetryVerdict {
        let delay = dice.time(.milliseconds(20) ..< .milliseconds(900))
        func answer(_ status: Int, executed: Bool = false, _ headers: [String: String] = [:]) -> RetryVerdict {
            RetryVerdict(answer: .status(status, body: "{}", headers: headers), delay: delay, isExecuted: executed)
        }
        let long = ChaosPlan.requestTimeout
        switch fault {
        case nil: return answer(202, executed: true)
        case .slow:
            return RetryVerdict(
                answer: .status(200, body: "{}"), delay: dice.time(.seconds(5)..<long), isExecuted: true)
        case .timeoutBefore: return RetryVerdict(answer: .timeout, delay: long, isExecuted: false)
        case .timeoutAfter: return RetryVerdict(answer: .timeout, delay: long, isExecuted: true)
        case .unauthorized: return answer(401)
        case .forbidden: return answer(403)
        case .notFound: return answer(404)
        case .throttled: return answer(429, ["Retry-After": "\(dice.int(0...900))"])
        case .errorDelivered: return answer(500, executed: true)
        case .errorLost: return answer(502)
        case .lie: return answer(200)
        case .unavailable: return answer(503, dice.chance(0.5) ? ["Retry-After": "\(dice.int(1...300))"] : [:])
        case .refused: return RetryVerdict(answer: .refusedConnection, delay: .milliseconds(5), isExecuted: false)
        case .rejected: return answer(422)
        case .redirected: return answer(302)
        case .conflict: return answer(409, executed: dice.chance(0.5))
        case .stuck:
            let status = dice.pick([200, 500, 404, 422, 503])
            return RetryVerdict(
                answer: .status(status, body: "{}"), delay: dice.minutes(3...180),
                isExecuted: dice.chance(0.7) && (status == 200 || status == 500))
        }
    }

    /// Carries a retry out.
    ///
    /// - Returns: the task id that the answer names, as JSON; nil: none.
    mutating func execute(_ number: Int, at time: Duration) -> String? {
        let name = retry(number, at: time)
        guard plan.foreignNames > 0, dice.chance(plan.foreignNames) else { return name }
        return foreignName(for: plan.events[number])
    }

    /// The task id of an event that contradicts this one, which may be in the log or be yet to come; nil: none was
    /// found.
    private mutating func foreignName(for event: ChaosPlan.Event) -> String? {
        for _ in 0..<5 {
            let other = dice.pick(plan.events)
            let (one, two) = (event.customerID, other.customerID)
            if other.eventType != event.eventType || (one != two && one != "null" && two != "null") {
                return other.taskID
            }
        }
        return nil
    }

    private mutating func retry(_ number: Int, at time: Duration) -> String? {
        let event = plan.events[number]
        if let before = arrived[number], before <= time { repeats += 1 }
        let arrives = take(number, at: time)
        switch plan.log.trace {
        case .silent: return nil
        case .sameID: addRetryRow(number, taskID: event.taskID, arrives, at: time)
        case .inPlace: changeInPlace(number, arrives, at: time)
        case .namedNewID, .unnamedNewID:
            namesMade += 1
            let isNumber = event.taskID.first != "\""
            let taskID = isNumber ? "\(900_000 + namesMade)" : "\"r-\(namesMade)\""
            eventOf[Self.name(event.endpoint, taskID)] = number
            let isUnnamed = plan.log.trace == .unnamedNewID
            addRetryRow(number, taskID: taskID, arrives, at: time, isUnnamed: isUnnamed)
            return isUnnamed ? nil : taskID
        }
        return nil
    }

    /// Some retries show as pending first, and with their outcome a while later.
    private mutating func addRetryRow(
        _ number: Int, taskID: String, _ arrives: Bool, at time: Duration, isUnnamed: Bool = false
    ) {
        guard dice.chance(plan.log.pending) else {
            return addRow(of: number, taskID: taskID, arrives, at: time, isUnnamed: isUnnamed)
        }
        let done = time + dice.time(.seconds(60) ..< .seconds(2_400))
        insert(
            Row(
                number: 0, event: number, taskID: taskID, outcome: .inProgress, created: stamp(time), visible: time,
                hidden: done, isUnnamed: isUnnamed), at: time)
        insert(
            Row(
                number: 0, event: number, taskID: taskID, outcome: arrives ? .succeeded : .failed,
                created: stamp(time), changed: plan.log.tellsChange ? stamp(done) : nil, visible: done,
                isUnnamed: isUnnamed), at: time)
    }

    /// The newest row of the event shows the outcome of the retry. Its time stays; the time of the change may be told.
    private mutating func changeInPlace(_ number: Int, _ arrives: Bool, at time: Duration) {
        let event = plan.events[number]
        let seen = time + dice.time(.zero ..< .seconds(3))
        let old = rows[event.endpoint].lastIndex {
            $0.event == number && $0.hidden == nil && $0.created <= stamp(time)
        }
        guard let old else { return addRow(of: number, taskID: event.taskID, arrives, at: time) }
        rows[event.endpoint][old].hidden = seen
        var row = rows[event.endpoint][old]
        row.outcome = arrives ? .succeeded : .failed
        row.changed = plan.log.tellsChange ? stamp(time) : row.changed
        row.visible = max(seen, row.visible)
        row.hidden = nil
        row.committed = nil
        row.isGarbled = false
        insert(row, at: time)
    }
}
