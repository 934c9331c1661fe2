import DeliveryQueue

/// Whom a 403 is about.
extension ChaosInvariants {
    func refusals(_ snapshot: ChaosSnapshot) -> Fault? {
        let blamed = snapshot.counters["\(Counter.retryRequests) \(Answer.forbidden.rawValue) "] ?? 0
        guard blamed == 0 || !plan.neverRefusesCredential else {
            return ("a 403 to a call is not blamed on a credential that reads logs", "\(blamed) times")
        }
        guard !plan.hasClockTrouble else { return nil }
        for delivery in snapshot.deliveries.values where delivery.deadReason == "rejected" {
            guard let fault = death(of: delivery, snapshot) else { continue }
            return fault
        }
        return nil
    }

    /// A delivery dies of a 403 only when it is not the first in a row, and another call was taken on since that.
    private func death(of delivery: ChaosSnapshot.Delivery, _ snapshot: ChaosSnapshot) -> Fault? {
        let word = Answer.deliveryForbidden.rawValue
        let all = (snapshot.attempts[delivery.id] ?? []).filter { $0.cycle == delivery.cycle }
        guard let last = all.last, last.answer == word, last.outcome == "refused" else { return nil }
        let row = all.reversed().prefix { $0.answer != Answer.accepted.rawValue }.filter { $0.answer == word }
        let (from, to) = (row.last?.answered ?? .max, last.answered ?? .min)
        let othersPass = snapshot.attempts.values.joined().contains {
            $0.answer == Answer.accepted.rawValue && (from...max(from, to)).contains($0.answered ?? .min)
        }
        guard row.count < 2 || !othersPass else { return nil }
        return ("a 403 kills only the second time, while others are taken on", "\(delivery) \(all)")
    }
}
