package import Logging
import ProviderAPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Tells the service manager how the daemon is: one datagram per state to the socket that the environment names
/// (sd_notify(3), "Standalone Implementations"). Without such a socket nothing is sent.
package struct ServiceManager: Sendable {
    /// What the manager is told.
    enum State {
        /// The database is open and the loops begin.
        case ready
        /// The configuration is read again; `ready` follows.
        case reloading
        case stopping
        /// Every loop completes its turns in time.
        case alive
    }

    /// After this time without `alive` the manager kills the daemon; nil when it does not watch.
    let watchdog: Duration?
    /// Sends a message to the manager.
    private let send: @Sendable (String) -> Void

    init(watchdog: Duration?, send: @escaping @Sendable (String) -> Void) {
        self.watchdog = watchdog
        self.send = send
    }

    /// - Parameters:
    ///   - environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` as systemd sets them.
    ///   - processID: the watchdog counts only when it is meant for this process.
    package init(environment: [String: String], processID: Int32 = getpid(), logger: Logger) {
        guard let path = environment["NOTIFY_SOCKET"], !path.isEmpty else {
            self.init(watchdog: nil) { _ in }
            return
        }
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(processID)" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64(digits: $0) } ?? 0
        self.init(watchdog: isOurs && microseconds > 0 ? .microseconds(microseconds) : nil) { message in
            guard !Self.send(message, to: path) else { return }
            logger.warning(
                "cannot reach the service manager; it may stop the daemon as hung",
                metadata: ["socket": "\(path)", "error": "\(String(cString: strerror(errno)))"])
        }
    }

    func tell(_ state: State) { send(message(of: state)) }

    private func message(of state: State) -> String {
        switch state {
        case .ready: "READY=1"
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(SteadyClock.microseconds)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        }
    }

    /// - Returns: false with the reason in `errno`.
    private static func send(_ message: String, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        // An abstract name, which has no file, is written with an `@`.
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < room else {
            errno = ENAMETOOLONG
            return false
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer {
            let reason = errno
            close(descriptor)
            errno = reason
        }
        let bytes = Array(message.utf8)
        let sent = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == bytes.count
    }
}
