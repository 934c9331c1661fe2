import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import RedeliverConfiguration

extension DeliveriesCommand {
    /// `redeliver deliveries show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Shows everything about one delivery: what it waits for, timeline, policy and future attempts.")

        @OptionGroup var database: DatabaseOption

        @Argument(help: DeliveryArgument.help)
        var delivery: DeliveryArgument

        @Flag(help: "Print the body too; it holds people's identity data.")
        var body = false

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Exit.onError {
                let now = WallClock.system.now
                let path = try database.path()
                let reader = try QueueReader(path: path)
                let id = try delivery.find(in: reader).delivery.id
                guard let history = try reader.history(ofDelivery: id) else {
                    throw ValidationError("there is no delivery \(id) any more")
                }
                let story = DeliveryStory(
                    history, policies: (try? database.settings())?.policies,
                    daemon: DaemonPresence.look(atDatabase: path),
                    body: body ? try reader.body(ofDelivery: id) : nil, at: now)
                try output.print(story) { story.text(on: $0) }
            }
        }
    }
}
