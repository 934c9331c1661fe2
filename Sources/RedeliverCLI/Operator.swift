import Foundation
import Logging
import ProviderAPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The operator's name, for the record.
enum Operator {
    /// The name of the process's user from the system, because variables such as `USER` can be wrong. Under `sudo` the
    /// calling user's name comes first.
    static var name: String {
        let user = getpwuid(getuid()).flatMap { String(validatingCString: $0.pointee.pw_name) } ?? "user \(getuid())"
        guard getuid() == 0, let caller = ProcessInfo.processInfo.environment["SUDO_USER"], !caller.isEmpty else {
            return user
        }
        return "\(Printable.text(caller)) (as \(user))"
    }
}

/// The logger of commands that do the daemon's work: warnings and errors only.
enum ToolLogger {
    static func make() -> Logger {
        var logger = Logger(label: "redeliver", factory: { LogStream.handler(label: $0) })
        logger.logLevel = .warning
        return logger
    }
}
