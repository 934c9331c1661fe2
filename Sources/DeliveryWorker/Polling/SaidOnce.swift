import Synchronization

/// What was said already, so that it is said once in the life of the process, also after a reload.
final class SaidOnce: Sendable {
    private let said = Mutex<Set<String>>([])

    /// True for the first call with this text.
    func isNew(_ text: String) -> Bool {
        said.withLock { $0.insert(text).inserted }
    }
}
