import HTTPTypes

/// A lawful or usual form of an answer's body that not every reader of HTTP knows.
enum WireForm: String, CaseIterable, Sendable {
    case gzipMembers = "gzip-members"
    case gzipPadded = "gzip-padded"
    case xGzip = "x-gzip"
    /// A byte order mark before the JSON.
    case mark = "bom"

    /// The same answer in this form, whether or not the client accepts it.
    func applied(to answer: Answer) throws -> Answer {
        var answer = answer
        let half = answer.body.count / 2
        switch self {
        case .gzipMembers:
            answer.body = try Gzip.compress(Array(answer.body[..<half])) + Gzip.compress(Array(answer.body[half...]))
        case .gzipPadded: answer.body = try Gzip.compress(answer.body) + [UInt8](repeating: 0, count: 512)
        case .xGzip: answer.body = try Gzip.compress(answer.body)
        case .mark: answer.body = [0xEF, 0xBB, 0xBF] + answer.body
        }
        if self != .mark { answer.headers[.contentEncoding] = self == .xGzip ? "x-gzip" : "gzip" }
        return answer
    }
}
