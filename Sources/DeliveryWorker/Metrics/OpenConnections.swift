import NIOCore
import Synchronization

/// The open connections of the listener, the oldest first. When there are too many, the oldest is closed: whoever opens
/// connections and sends nothing harms only such connections.
final class OpenConnections: Sendable {
    private let channels = Mutex<[any Channel]>([])
    private let most: Int

    init(most: Int) {
        self.most = most
    }

    func began(_ channel: any Channel) {
        let oldest: (any Channel)? = channels.withLock { channels in
            channels.append(channel)
            return channels.count > most ? channels.removeFirst() : nil
        }
        oldest?.close(promise: nil)
    }

    func ended(_ channel: any Channel) {
        channels.withLock { $0.removeAll { $0 === channel } }
    }
}
