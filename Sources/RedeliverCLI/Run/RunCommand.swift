import ArgumentParser
import DeliveryWorker
import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `redeliver run`: the daemon, or one turn.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Reads the provider's logs and retries failed deliveries until it is stopped.",
        discussion: """
            SIGTERM and SIGINT stop it after the calls in flight have ended; a stop that does not end is given up with 71. SIGHUP reloads the configuration. With --once \
            it does one full turn and exits, with 69 if a log could not be read.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "Do one full turn (read logs, retry, settle, write metrics) and exit; for cron.")
    var once = false

    @Option(help: "The level of the log on stderr; also REDELIVER_LOG_LEVEL. Default: info.")
    var logLevel: LogLevel?

    func run() async throws {
        // Bodies are people's identity data, so files are for the owner and the group only.
        umask(0o027)
        let worker = Worker(
            logger: makeLogger(), environment: ProcessInfo.processInfo.environment,
            giveUp: {
                LogLines.standardError.flush()
                // Without the usual end of a program, which may wait for what hangs.
                _exit(Exit.stopGivenUp.rawValue)
            }, load: { [configuration] in try configuration.load() })
        try await Exit.onError {
            guard once else { return try await worker.run() }
            let failed = try await worker.runOnce()
            if failed > 0 { throw Exit.unavailable }
        }
    }

    private func makeLogger() -> Logger {
        LoggingSystem.bootstrap(LogStream.handler)
        var logger = Logger(label: "redeliver")
        let variable = ProcessInfo.processInfo.environment["REDELIVER_LOG_LEVEL"]
        if let variable, LogLevel(rawValue: variable) == nil {
            let levels = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            Note.print("REDELIVER_LOG_LEVEL: '\(variable)' is not a level; info is used; the levels are \(levels)")
        }
        logger.logLevel = (logLevel ?? variable.flatMap(LogLevel.init(rawValue:)) ?? .info).level
        return logger
    }
}

/// The levels of swift-log, by name.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }

    /// The value's text in the help and the manual.
    var defaultValueDescription: String {
        switch self {
        case .trace: "also each answer of the provider"
        case .debug: "also the results of each turn"
        case .info: "also rare good news, such as a login"
        case .notice: "also starts, stops, reloads and retries that the provider did not accept"
        case .warning: "warnings and errors"
        case .error: "errors only"
        case .critical: "only errors that stop the daemon"
        }
    }
}
