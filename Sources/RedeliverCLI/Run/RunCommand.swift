import ArgumentParser
import DeliveryWorker
import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `redeliver run`: the daemon, or one turn of it.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Polls the provider's logs and retries failed deliveries until stopped.",
        discussion: """
            SIGTERM and SIGINT stop it when the calls in flight have ended; SIGHUP reads the configuration again. With \
            --once it does one full turn and exits, with 69 if a log could not be read.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "One full turn (poll, retry what is due, settle, write metrics), then exit: for cron.")
    var once = false

    @Option(help: "How much is logged to stderr; also REDELIVER_LOG_LEVEL. Default: info.")
    var logLevel: LogLevel?

    func run() async throws {
        // Bodies are people's identity data: files for the owner and the group only.
        umask(0o027)
        let worker = Worker(logger: makeLogger(), environment: ProcessInfo.processInfo.environment) { [configuration] in
            try configuration.load()
        }
        try await Exit.onError {
            guard once else { return try await worker.run() }
            let failed = try await worker.runOnce()
            if failed > 0 { throw Exit.unavailable }
        }
    }

    private func makeLogger() -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "redeliver")
        let variable = ProcessInfo.processInfo.environment["REDELIVER_LOG_LEVEL"]
        if let variable, LogLevel(rawValue: variable) == nil {
            let levels = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            Note.print("REDELIVER_LOG_LEVEL: '\(variable)' is no level: the levels are \(levels); info is used")
        }
        logger.logLevel = (logLevel ?? variable.flatMap(LogLevel.init(rawValue:)) ?? .info).level
        return logger
    }
}

/// The levels of swift-log, by name.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }

    /// What the help and the manual say of the value.
    var defaultValueDescription: String {
        switch self {
        case .trace: "also each answer of the provider"
        case .debug: "also what each turn of the work did"
        case .info: "also what goes well and is seldom, such as a login"
        case .notice: "also starts, stops, reloads and retries that were not taken on"
        case .warning: "only what went wrong"
        case .error: "only what failed"
        case .critical: "only what cannot be gone on from"
        }
    }
}
