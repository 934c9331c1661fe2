import Dispatch

#if os(Linux)
    import Glibc
#endif

/// Tells when any process has written to a file, without polling. It tells it once and must then be armed again, so
/// that a busy file costs no more than the listener has time for.
final class FileWatch {
    private let path: String
    private let descriptor: Int32
    /// nil where the system has no inotify(7), or no more watches to give.
    private let source: (any DispatchSourceRead)?

    /// - Parameter changed: called on a thread of its own.
    init(path: String, changed: @escaping @Sendable () -> Void) {
        self.path = path
        #if os(Linux)
            let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        #else
            let descriptor: Int32 = -1
        #endif
        self.descriptor = descriptor
        guard descriptor >= 0 else {
            source = nil
            return
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler {
            Self.discardEvents(descriptor)
            changed()
        }
        source.setCancelHandler { close(descriptor) }
        source.activate()
        self.source = source
    }

    deinit {
        source?.cancel()
    }

    /// Tells the next write from now on.
    ///
    /// - Returns: false when the system cannot do that, or the file does not exist.
    func arm() -> Bool {
        #if os(Linux)
            guard source != nil else { return false }
            return inotify_add_watch(descriptor, path, UInt32(IN_MODIFY) | UInt32(IN_ONESHOT)) >= 0
        #else
            return false
        #endif
    }

    /// Only the arrival of an event matters, not its content. The end of a watch is an event too, and the only sign of
    /// a watch that ends while it is armed again.
    private static func discardEvents(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
