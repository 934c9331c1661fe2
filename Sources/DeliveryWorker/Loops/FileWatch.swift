import Dispatch

#if os(Linux)
    import Glibc
#endif

/// Tells that a file was written to, by whichever process, without looking at it again and again. It tells so once: then it
/// has to be armed anew, so that a busy file costs no more than who listens has time for.
final class FileWatch {
    private let path: String
    private let descriptor: Int32
    /// nil where the system cannot tell (inotify(7)), or not to any more processes.
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

    /// What is written from now on is told of.
    ///
    /// - Returns: false when it is not: the system cannot, or there is no such file.
    func arm() -> Bool {
        #if os(Linux)
            guard source != nil else { return false }
            return inotify_add_watch(descriptor, path, UInt32(IN_MODIFY) | UInt32(IN_ONESHOT)) >= 0
        #else
            return false
        #endif
    }

    /// That there are any is all that they say. That a watch has ended is one too: should it end just when it is armed again,
    /// nothing else would tell.
    private static func discardEvents(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
