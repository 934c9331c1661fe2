import NIOCore

/// Notices on its connection that the client has closed its side, and tells the call that is waiting.
final class ClientWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    /// Asks the connection's watch to succeed the promise with true when the client leaves.
    private struct Request: Sendable {
        let promise: EventLoopPromise<Bool>
    }

    private var clientHasLeft = false
    private var waiting: EventLoopPromise<Bool>?

    /// Waits, and says whether the client closed the connection meanwhile.
    static func isGone(_ channel: any Channel, during delay: Duration) async -> Bool {
        guard delay > .zero else { return false }
        let promise = channel.eventLoop.makePromise(of: Bool.self)
        // Whichever comes first decides; a promise takes only its first value.
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
