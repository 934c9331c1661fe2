import DeliverySimulation
import ProviderAPI
import Synchronization

/// Holds the truth, which all lives of the worker share.
final class ChaosWorld: Sendable {
    private let truth: Mutex<ChaosTruth>
    let plan: ChaosPlan

    init(_ plan: ChaosPlan) {
        self.plan = plan
        truth = Mutex(ChaosTruth(plan))
    }

    @discardableResult
    func withTruth<Value: Sendable>(_ change: (inout ChaosTruth) -> Value) -> Value {
        truth.withLock { change(&$0) }
    }

    var violation: ChaosViolation? { truth.withLock { $0.violation } }
}
