import NIOCore

/// Notices that the client has closed its side of the connection, and tells the call that waits.
final class ClientWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    /// Asks the watch of a connection to succeed the promise with true when the client leaves.
    private struct Request: Sendable {
        let promise: EventLoopPromise<Bool>
    }

    private var clientHasLeft = false
    private var waiting: EventLoopPromise<Bool>?

    /// Waits for `delay`, or until the client closes the connection, and returns whether it did. Zero does not wait.
    static func isGone(_ channel: any Channel, during delay: Duration) async -> Bool {
        guard delay > .zero else { return false }
        let promise = channel.eventLoop.makePromise(of: Bool.self)
        // A promise takes only its first value, so whichever comes first decides.
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(delay)) { promise.succeed(false) }
        channel.triggerUserOutboundEvent(Request(promise: promise), promise: nil)
        let isGone = (try? await promise.futureResult.get()) ?? true
        timer.cancel()
        return isGone
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let request = event as? Request else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        promise?.succeed()
        if clientHasLeft {
            request.promise.succeed(true)
        } else {
            waiting = request.promise
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed = event as? ChannelEvent { noteLeaving() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        noteLeaving()
        context.fireChannelInactive()
    }

    private func noteLeaving() {
        clientHasLeft = true
        waiting?.succeed(true)
        waiting = nil
    }
}
