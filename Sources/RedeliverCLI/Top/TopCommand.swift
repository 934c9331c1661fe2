import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation

/// `redeliver top`: `status` as a picture that moves.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows live what the queue does: endpoints, what is due, calls per second, the last failures.",
        discussion: "Reads only and changes nothing. q or Ctrl-C ends it. NO_COLOR switches the colours off."
    )

    @OptionGroup var database: DatabaseOption

    private static let interval = Duration.seconds(1)

    func run() async throws {
        try await Exit.onError {
            guard let terminal = RawTerminal(environment: ProcessInfo.processInfo.environment) else {
                throw ValidationError("top draws on a terminal, and this is none: `redeliver status` prints once")
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
