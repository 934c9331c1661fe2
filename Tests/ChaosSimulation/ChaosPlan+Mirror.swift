import DeliveryQueue
import DeliverySimulation

/// A further configured endpoint whose log is that of another one: both show the same rows.
extension ChaosPlan {
    static let mirrorID = "mirror"

    /// Only where the log tells what becomes of a retry, and by a right clock.
    mutating func addMirror() {
        var dice = SeededGenerator(seed: seed ^ 0x5a3e)
        guard log.trace != .silent, !hasClockTrouble, !goesByAnswers,
            dice.chance(0.4)
        else { return }
        let base = dice.int(0...receivers.count - 1)
        mirror = base
        // Else the log of a mirror is read by it, and nobody reads the other one.
        for index in variants.indices where !variants[index].endpoints.contains(base) {
            variants[index].endpoints.append(base)
        }
    }

    /// The receiver behind a configured endpoint; nil: there is none.
    func receiver(of id: String) -> Int? {
        receivers.firstIndex { $0.id == id } ?? (id == Self.mirrorID ? mirror : nil)
    }

    /// The configured endpoints whose log shows the rows of a receiver.
    func endpoints(of receiver: Int) -> [String] {
        [receivers[receiver].id] + (receiver == mirror ? [Self.mirrorID] : [])
    }
}

extension ChaosInvariants {
    /// Rows that two logs show make one delivery: no second one of the same event waits to be called, unless an
    /// operator has brought one back.
    func mirrored(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth) -> Fault? {
        guard let mirror = plan.mirror else { return nil }
        let endpoints = plan.endpoints(of: mirror)
        var open: [Int: ChaosSnapshot.Delivery] = [:]
        for delivery in snapshot.deliveries.values where endpoints.contains(delivery.endpoint) && !delivery.isFinal {
            guard let event = truth.event(mirror, taskText: delivery.taskID),
                delivery.taskID == plan.events[event].taskText, snapshot.acted[delivery.id] ?? 0 == 0
            else { continue }
            if let other = open[event] {
                return ("two logs that show the same row make one delivery", "\(delivery), \(other)")
            }
            open[event] = delivery
        }
        return nil
    }

    /// Whether a delivery of either endpoint is about the event of a row.
    func isKeptByPair(_ receiver: Int, _ taskText: String, _ snapshot: ChaosSnapshot, _ truth: ChaosTruth) -> Bool {
        guard receiver == plan.mirror, let event = truth.event(receiver, taskText: taskText) else { return false }
        let endpoints = plan.endpoints(of: receiver)
        return snapshot.deliveries.values.contains {
            endpoints.contains($0.endpoint) && truth.event(receiver, taskText: $0.taskID) == event
        }
    }
}
