import Foundation
import Logging
import ProviderAPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Who is at the keyboard, for the record.
enum Operator {
    /// The name of the process's user as the system knows it, because variables such as `USER` can say anything; with the
    /// user behind `sudo`, where that is how we came to be root.
    static var name: String {
        let user = getpwuid(getuid()).flatMap { String(validatingCString: $0.pointee.pw_name) } ?? "user \(getuid())"
        guard getuid() == 0, let caller = ProcessInfo.processInfo.environment["SUDO_USER"], !caller.isEmpty else {
            return user
        }
        return "\(Printable.text(caller)) (as \(user))"
    }
}

/// The logger of commands that do something of the daemon's: silent but for what went wrong.
enum ToolLogger {
    static func make() -> Logger {
        var logger = Logger(label: "redeliver", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        return logger
    }
}
