import ArgumentParser
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The program's beginning.
@main
enum Program {
    static func main() async {
        Crash.leavesNothing()
        atexit { LogLines.standardError.flush() }
        do {
            var command = try RedeliverCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch  where RedeliverCommand.exitCode(for: error) != .success {
            // The parser repeats what it does not understand, which may steer a terminal.
            let text = RedeliverCommand.fullMessage(for: error)
            if !text.isEmpty { LogLines.standardError.add(text + "\n") }
            exit(RedeliverCommand.exitCode(for: error).rawValue)
        } catch {
            RedeliverCommand.exit(withError: error)
        }
    }
}

/// The memory of this program holds tokens, secrets and bodies, and none of them may come to lie in a file.
private enum Crash {
    private typealias Prctl = @convention(c) (CInt, CUnsignedLong, CUnsignedLong, CUnsignedLong, CUnsignedLong) -> CInt

    /// A crash ends the process at once, by its signal, and leaves no file.
    static func leavesNothing() {
        forbidCoreFiles()
        // Swift's own handlers would start `swift-backtrace`, which may not look into this process and tries for
        // minutes.
        for number in [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGQUIT] { signal(number, SIG_DFL) }
    }

    /// No core file of this process is written, whatever the limits and patterns of the machine, and no other process
    /// of this user may look into it.
    private static func forbidCoreFiles() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #if os(Linux)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            // Swift imports no C function with a variable number of arguments.
            guard let symbol = dlsym(nil, "prctl") else { return }
            let dumpable: CInt = 4  // PR_SET_DUMPABLE
            _ = unsafeBitCast(symbol, to: Prctl.self)(dumpable, 0, 0, 0, 0)
        #else
            _ = setrlimit(RLIMIT_CORE, &none)
        #endif
    }
}
