import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Makes the responses that a client sees when a fault strikes.
enum FaultyResponse {
    /// Ends a response in the middle; the server then closes the connection.
    struct Interrupted: Error {}

    /// Closes the connection without a byte. Hummingbird must answer, so its response fails on the closed channel.
    static func dropped(_ channel: any Channel) async -> Response {
        try? await channel.close()
        return Response(status: .internalServerError, body: ResponseBody { _ in throw Interrupted() })
    }

    /// Announces the whole body, sends half of it and closes the connection.
    static func truncated(_ whole: Response, body: [UInt8], channel: any Channel) -> Response {
        var headers = whole.headers
        headers[.contentLength] = "\(body.count)"
        let half = ByteBuffer(bytes: body.prefix(body.count / 2))
        let stream = ResponseBody(contentLength: body.count) { writer in
            try await writer.write(half)
            try? await channel.close()
            throw Interrupted()
        }
        return Response(status: whole.status, headers: headers, body: stream)
    }

    /// A JSON object of about `size` bytes, written in pieces so that memory use stays small.
    static func huge(_ size: Int) -> Response {
        let stream = ResponseBody { writer in
            let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 65_536)
            try await writer.write(ByteBuffer(string: "{\"padding\":\""))
            var left = size
            while left > 0 {
                try await writer.write(piece.getSlice(at: 0, length: min(left, 65_536)) ?? piece)
                left -= 65_536
            }
            try await writer.write(ByteBuffer(string: "\"}"))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: stream)
    }

    /// A status with the provider's error body. nil seconds send no `Retry-After`.
    static func status(_ code: Int, retryAfterSeconds: Int?, asDate: Bool) -> Answer {
        var answer = Answer.error(code, "The service said \(code).")
        if let retryAfterSeconds {
            let date = WallTime.now() + Milliseconds(retryAfterSeconds) * 1000
            answer.headers[.retryAfter] = asDate ? WallTime.rfc1123(date) : "\(retryAfterSeconds)"
        }
        return answer
    }

    static let garbage = Answer(status: 200, body: Array("{\"status\": \"acc\u{0}<<<".utf8))

    static let webPage = Answer(
        status: 200,
        body: Array("<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>".utf8),
        headers: [.contentType: "text/html; charset=utf-8"]
    )

    static func redirect(to url: String) -> Answer {
        Answer(status: 307, body: [], headers: [.location: url])
    }
}
