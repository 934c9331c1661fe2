import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPCompression

/// Compresses to gzip (RFC 1952) with the handler that NIO has for whole servers. It takes NIO's own messages, and
/// Hummingbird has others, so it works in a channel of its own.
enum Gzip {
    /// The input as one gzip member.
    static func compress(_ input: [UInt8]) throws -> [UInt8] {
        let channel = EmbeddedChannel(handler: HTTPResponseCompressor())
        let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["accept-encoding": "gzip"])
        try channel.writeInbound(HTTPServerRequestPart.head(request))
        try channel.writeOutbound(HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)))
        try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: input))))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
        var output: [UInt8] = []
        while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
            if case .body(.byteBuffer(let buffer)) = part { output += buffer.readableBytesView }
        }
        _ = try channel.finish()
        return output
    }
}
