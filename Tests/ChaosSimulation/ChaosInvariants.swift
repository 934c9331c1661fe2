import Crypto
import DeliveryQueue
import Foundation

/// The promises that must hold whenever the worker is not running, and at the end.
struct ChaosInvariants: Sendable {
    let plan: ChaosPlan
    private var before = ChaosSnapshot()

    init(_ plan: ChaosPlan) {
        self.plan = plan
    }

    /// - Throws: the first promise that does not hold.
    mutating func check(_ watch: ChaosWatch, _ truth: ChaosTruth, at now: Duration) throws {
        let snapshot = try ChaosSnapshot(watch)
        let faults =
            committed(snapshot, truth, at: now) ?? entries(snapshot, truth, at: now) ?? owners(snapshot, truth)
            ?? mirrored(snapshot, truth)
            ?? bodies(
                snapshot, truth)
            ?? attempts(snapshot)
            ?? refusals(snapshot)
            ?? counters(snapshot, truth, at: now) ?? moves(snapshot) ?? arrivals(snapshot, truth, at: now)
        if let faults { throw ChaosViolation(promise: faults.promise, detail: faults.detail, time: now) }
        before = snapshot
    }

    typealias Fault = (promise: String, detail: String)

    // MARK: - The log

    private func committed(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth, at now: Duration) -> Fault? {
        // What is to be judged again by the right clock is forgotten until it is read again.
        guard !plan.mayLeaveOutFailures(at: now) else { return nil }
        for (endpoint, rows) in truth.rows.enumerated() {
            for row in rows where row.committed != nil && !row.isGarbled {
                // Entries of no delivery are pruned after a day; so is a failure whose success was read before it.
                guard row.outcome != .inProgress, isKept(row, endpoint, snapshot) || !isMended(row, rows),
                    !isKeptByPair(endpoint, row.taskText, snapshot, truth)
                else { continue }
                let key = "\(plan.receivers[endpoint].id) \(row.key)"
                guard snapshot.entries[key] == nil else { continue }
                let others = snapshot.entries.keys.filter { $0.contains(" \(row.taskText) ") }.sorted()
                return ("what was read of the log is in the database", "\(row), there are \(others)")
            }
        }
        let garbled = truth.rows.joined().filter { $0.committed != nil && $0.isGarbled }
        guard snapshot.unreadable >= garbled.count || plan.hasClockTrouble else {
            return ("an entry that cannot be understood is kept", "\(garbled)")
        }
        return nil
    }

    private func isMended(_ row: ChaosTruth.Row, _ rows: [ChaosTruth.Row]) -> Bool {
        rows.contains { $0.taskID == row.taskID && $0.outcome == .succeeded && $0.committed != nil }
    }

    private func isKept(_ row: ChaosTruth.Row, _ endpoint: Int, _ snapshot: ChaosSnapshot) -> Bool {
        snapshot.deliveries.values.contains {
            $0.endpoint == plan.receivers[endpoint].id && $0.taskID == row.taskText
        }
    }

    /// Each failure that was read is a delivery's, or its event had arrived already.
    private func entries(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth, at now: Duration) -> Fault? {
        guard !plan.mayLeaveOutFailures(at: now) else { return nil }
        let parts = snapshot.entries.map { (key: $0.key.split(separator: " "), delivery: $0.value) }
        var arrived = Set(parts.filter { $0.key[3] == "succeeded" }.map { "\($0.key[0]) \($0.key[1])" })
        // A success that was read before its failure may be forgotten by now.
        for (endpoint, rows) in truth.rows.enumerated() {
            let read = rows.filter { $0.outcome == .succeeded && $0.committed != nil }
            arrived.formUnion(read.map { "\(plan.receivers[endpoint].id) \($0.taskText)" })
        }
        for part in parts where part.key[3] == "failed" && part.delivery == nil {
            let (endpoint, task) = (String(part.key[0]), String(part.key[1]))
            guard !arrived.contains("\(endpoint) \(task)"),
                plan.receiver(of: endpoint).map({ !isKeptByPair($0, task, snapshot, truth) }) ?? true
            else { continue }
            return ("a failure that was read is a delivery", "\(part.key)")
        }
        return nil
    }

    // MARK: - Deliveries

    private func bodies(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth) -> Fault? {
        for delivery in snapshot.deliveries.values {
            guard let endpoint = plan.receiver(of: delivery.endpoint),
                let number = truth.event(endpoint, taskText: delivery.taskID)
            else { return ("a delivery is of an event", "\(delivery)") }
            let event = plan.events[number]
            let body = Array(event.body.utf8)
            guard delivery.body ?? body == body, delivery.hash == Array(SHA256.hash(data: body)) else {
                return ("bodies stay as they were logged", "\(delivery)")
            }
            let webhook = plan.receivers[endpoint].webhookID ?? "\"\(delivery.endpoint)\""
            guard Array(delivery.ids.dropFirst()) == [event.customerID, webhook] else {
                return ("ids keep their JSON type", "\(delivery)")
            }
        }
        return nil
    }

    private func attempts(_ snapshot: ChaosSnapshot) -> Fault? {
        for delivery in snapshot.deliveries.values {
            let all = snapshot.attempts[delivery.id] ?? []
            let open = all.filter { $0.outcome == nil }
            let isCalling = delivery.state == "attempting" || delivery.state == "awaiting"
            guard open.map(\.leaseToken) == (isCalling ? [delivery.leaseToken] : []) else {
                return ("one call of a delivery is open, or none", "\(delivery.state) \(delivery.id) \(all)")
            }
            let ours = all.filter { $0.cycle == delivery.cycle && !$0.isManual }
            let most = ours.filter { ["failed", "unconfirmed", "refused", "delivered"].contains($0.outcome) }.count
            guard delivery.used <= most else {
                return ("a call that was refused uses no attempt", "used \(delivery.used) of \(all)")
            }
            // An answer that came after the call was given up changes nothing.
            let least = ours.filter {
                $0.answer == "accepted" && $0.answered ?? .max <= $0.settled ?? .max && !$0.isTrial
                    && ["failed", "unconfirmed"].contains($0.outcome)
            }.count
            guard delivery.state == "delivered" || delivery.used >= least else {
                return ("a call that failed uses an attempt", "used \(delivery.used) of \(all)")
            }
            guard delivery.used <= plan.mostAttempts(for: delivery.eventType) else {
                return ("attempts never exceed the policy", "\(delivery)")
            }
        }
        return nil
    }

    private func arrivals(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth, at now: Duration) -> Fault? {
        for delivery in snapshot.deliveries.values where delivery.evidence == "log" {
            let endpoint = plan.receiver(of: delivery.endpoint) ?? 0
            let number = truth.event(endpoint, taskText: delivery.taskID)
            guard let number, plan.alike(number).contains(where: { truth.arrived[$0].map { $0 <= now } ?? false })
            else {
                return ("what the log proves has arrived", "\(delivery)")
            }
        }
        return nil
    }

    // MARK: - Counters and moves

    private func counters(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth, at now: Duration) -> Fault? {
        let isEarly = now < .seconds(23 * 3_600) && !plan.hasClockTrouble
        for (name, value) in before.counters where snapshot.counters[name] ?? 0 < value {
            return ("counters never fall", name)
        }
        let all = snapshot.attempts.values.joined()
        let answers = Set(all.compactMap(\.answer)).subtracting(["interrupted"])
        for answer in answers {
            let counted = snapshot.counters["\(Counter.retryRequests) \(answer) "] ?? 0
            let there = all.count { $0.answer == answer }
            guard counted == there else { return ("counters equal the tables", "\(answer): \(counted), \(there)") }
        }
        let unconfirmed = snapshot.counters["\(Counter.unconfirmed)  "] ?? 0
        guard unconfirmed >= all.count(where: { $0.outcome == "unconfirmed" }), unconfirmed <= all.count else {
            return ("counters equal the tables", "unconfirmed \(unconfirmed)")
        }
        for (label, word) in [("failure", "failed"), ("success", "succeeded"), ("in_progress", "in_progress")] {
            let counted = snapshot.counters["\(Counter.logEntries) \(label) "] ?? 0
            let there = snapshot.entries.keys.count { $0.hasSuffix(" \(word)") }
            // Entries of no delivery are pruned after a day, and count again when they are read again.
            guard isEarly ? counted == there : counted >= there else {
                return ("counters equal the tables", "\(label): \(counted), \(there)")
            }
        }
        let unreadable = snapshot.counters["\(Counter.logEntries) unreadable "] ?? 0
        // After a clock was a year back they are pruned early.
        guard unreadable == snapshot.unreadable || (plan.hasClockTrouble && unreadable > snapshot.unreadable) else {
            return ("counters equal the tables", "unreadable")
        }
        let requests = snapshot.counters.filter { $0.key.hasPrefix("\(Counter.logRequests) ") }.values.reduce(0, +)
        // One that waits for a token that the login refuses is counted, and never comes.
        guard plan.usesLogin || requests <= truth.logRequests else {
            return ("counters equal the tables", "\(requests) requests, \(truth.logRequests) came")
        }
        return finalCounters(snapshot)
    }

    /// Each end of a delivery counts; one that was requeued may end more than once.
    private func finalCounters(_ snapshot: ChaosSnapshot) -> Fault? {
        for state in ["delivered", "dead"] {
            let counted = snapshot.counters.filter {
                $0.key.hasPrefix("\(Counter.finalized) ") && $0.key.hasSuffix(" \(state)")
            }.values.reduce(0, +)
            let there = snapshot.deliveries.values.count { $0.state == state }
            // What an answer proved may be taken back, and be delivered again.
            let isExact = state == "delivered" && !plan.goesByAnswers
            guard isExact ? counted == there : counted >= there else {
                return ("counters equal the tables", "\(state): \(counted), \(there)")
            }
        }
        return nil
    }

    private func moves(_ snapshot: ChaosSnapshot) -> Fault? {
        for old in before.deliveries.values {
            guard let new = snapshot.deliveries[old.id] else {
                guard old.state == "scheduled", old.leaseToken == 0 else { return ("nothing is lost", "\(old)") }
                continue
            }
            if old.state == "delivered", old.evidence != "answer" {
                guard new.state == "delivered", new.evidence == old.evidence, new.evidenceTask == old.evidenceTask
                else {
                    return ("delivered is final", "\(old) → \(new)")
                }
            }
            let isActedOn = snapshot.acted[old.id] ?? 0 > before.acted[old.id] ?? 0
            if old.state == "dead", !isActedOn, new.state != "delivered" {
                guard new.state == "dead", new.deadReason == old.deadReason || hadManual(old, snapshot) else {
                    return ("dead is final until an operator acts", "\(old) → \(new)")
                }
            }
            guard new.leaseToken >= old.leaseToken, new.cycle >= old.cycle, new.hash == old.hash,
                (snapshot.attempts[old.id] ?? []).count >= (before.attempts[old.id] ?? []).count
            else { return ("history is kept", "\(old) → \(new)") }
        }
        return nil
    }

    /// An earlier retry of an operator may have been refused for another reason since.
    private func hadManual(_ delivery: ChaosSnapshot.Delivery, _ snapshot: ChaosSnapshot) -> Bool {
        (snapshot.attempts[delivery.id] ?? []).last?.isManual ?? false
    }

    /// Each failure that was logged before the quiet days, and whose event has not arrived, is a delivery in the end:
    /// no page hid it for good. Not under a wrong clock, which may take it for older than our history; and not where
    /// another event equals it, for a row of which it may be taken (see `owners`).
    func unseen(_ truth: ChaosTruth) -> Fault? {
        guard !plan.hasClockTrouble else { return nil }
        let known = Set(before.deliveries.values.map { "\($0.endpoint) \($0.taskID)" })
        for (endpoint, rows) in truth.rows.enumerated() {
            let lost = rows.first { row in
                row.outcome == .failed && plan.alike(row.event).count == 1 && !row.isGarbled && row.hidden == nil
                    && truth.arrived[row.event] == nil
                    && row.taskText == plan.events[row.event].taskText
                    && !plan.endpoints(of: endpoint).contains { known.contains("\($0) \(row.taskText)") }
            }
            if let lost { return ("no failure of the log is overlooked", "\(lost)") }
        }
        return nil
    }

    /// The deliveries of the last snapshot that have not ended. A wrong clock can make a retry's failure a delivery of
    /// its own, which goes on for as long as its receiver fails, beyond any end.
    func open(_ truth: ChaosTruth) -> [ChaosSnapshot.Delivery] {
        before.deliveries.values.filter { delivery in
            let endpoint = plan.receiver(of: delivery.endpoint) ?? 0
            let event = truth.event(endpoint, taskText: delivery.taskID)
            let isOwnName = event.map { plan.events[$0].taskText == delivery.taskID } ?? true
            return !delivery.isFinal && (isOwnName || !truth.hasUnknownRows)
        }.sorted { $0.id < $1.id }
    }

    /// The rows of the last snapshot.
    func rows(ofDelivery id: Int64) -> String {
        "\(before.deliveries[id].map(\.description) ?? "") \(before.attempts[id] ?? [])"
    }
}
