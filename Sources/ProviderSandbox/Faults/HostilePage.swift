import Hummingbird
import NIOCore

/// A page of a log that is made to take much memory or time. It is written in pieces, so that it takes none here.
enum HostilePage: String, CaseIterable, Sendable {
    /// A list whose elements are all `1`.
    case rows
    /// One entry with one very long id.
    case longID = "long-id"
    /// Lists in one another.
    case nested

    private static let pieceSize = 65_536

    /// - Parameter size: about how many bytes it has.
    func response(size: Int) -> Response {
        let parts = parts(size)
        let stream = ResponseBody { writer in
            for part in parts {
                let piece = ByteBuffer(
                    string: String(repeating: part.text, count: Self.pieceSize / part.text.utf8.count))
                var left = part.size
                while left > 0 {
                    try await writer.write(piece.getSlice(at: 0, length: min(left, Self.pieceSize)) ?? piece)
                    left -= Self.pieceSize
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: stream)
    }

    /// Texts, each repeated until it has so many bytes.
    private func parts(_ size: Int) -> [(text: String, size: Int)] {
        func once(_ text: String) -> (text: String, size: Int) { (text, text.utf8.count) }
        return switch self {
        case .rows: [once("["), ("1,", size / 2 * 2), once("1]")]
        case .longID: [once(#"[{"id":""#), ("9", size), once(#"","status":"failed"}]"#)]
        case .nested: [("[", size / 2), ("]", size / 2)]
        }
    }
}
