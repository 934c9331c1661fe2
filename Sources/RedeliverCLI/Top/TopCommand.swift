import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation

/// `redeliver top`: a live `status`.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows the queue live: endpoints, due deliveries, calls per second, the last failures.",
        discussion: "Only reads. q or Ctrl-C quits. NO_COLOR switches the colours off."
    )

    @OptionGroup var database: DatabaseOption

    private static let interval = Duration.seconds(1)

    func run() async throws {
        try await Exit.onError {
            guard let terminal = RawTerminal(environment: ProcessInfo.processInfo.environment) else {
                throw ValidationError("top needs a terminal; `redeliver status` prints the same once")
            }
            let path = try database.path()
            var view = try TopView(database: path, at: WallClock.system.now)
            terminal.enter()
            defer { terminal.leave() }
            while true {
                let hasColours = Terminal.standardOutput.hasColours
                terminal.draw(TopFrame(view: view, size: terminal.size, hasColours: hasColours).lines)
                switch terminal.wait(upTo: Self.interval) {
                case .stop: return
                case .resized: continue
                case .tick: view.refresh(at: WallClock.system.now)
                }
            }
        }
    }
}
