/// What is wrong with a row that a page of a log holds beside the others.
enum RowFault: String, CaseIterable, Sendable {
    case nan, infinity, tab, escape
    case latin1 = "latin-1"
    /// Quotes inside a text that are not escaped.
    case quotes
    /// No known id, and an address whose signature is another one in each answer.
    case signedURL = "signed-url"
    /// A task id, an event type or a customer id of a megabyte.
    case longID = "long-id"
    case longType = "long-type"
    case longCustomer = "long-customer"
    /// Without the bracket at its end.
    case unclosed

    /// The page with such a row before the others of its list.
    func added(to answer: Answer) -> Answer {
        var answer = answer
        // No name and no address before the list holds a bracket.
        guard let list = answer.body.firstIndex(of: UInt8(ascii: "[")) else { return answer }
        let isEmpty = answer.body.dropFirst(list + 1).first == UInt8(ascii: "]")
        answer.body.insert(contentsOf: row + (isEmpty ? [] : [UInt8(ascii: ",")]), at: list + 1)
        return answer
    }

    private var row: [UInt8] {
        let start = Array(
            #"{"task_id":"damaged-1","event_type":"profile_update","body":{},"status":"failure","error":"#.utf8)
        let (text, end) = (Array(#""M"#.utf8), Array(#"ller"}"#.utf8))
        switch self {
        case .nan: return start + Array("NaN}".utf8)
        case .infinity: return start + Array("-Infinity}".utf8)
        case .tab: return start + text + [0x09] + end
        case .escape: return start + text + Array(#"\xFC"#.utf8) + end
        case .latin1: return start + text + [0xFC] + end
        case .quotes: return start + text + Array(#" "ü" "#.utf8) + end
        case .signedURL:
            let signature = String(UInt64.random(in: .min ... .max), radix: 16)
            return Array(
                #"{"reference":"r-1","state":"failed","file":"https://files.test/a.pdf?X-Signature=\#(signature)"}"#
                    .utf8)
        case .longID: return Self.long(#"{"status":"failure","event_type":"profile_update","body":{},"task_id":""#)
        case .longType: return Self.long(#"{"status":"failure","task_id":"damaged-1","body":{},"event_type":""#)
        case .longCustomer:
            return Self.long(
                #"{"status":"failure","task_id":"damaged-1","event_type":"profile_update","body":{},"customer_id":""#)
        case .unclosed: return start + Array(#""x""#.utf8)
        }
    }

    /// A row whose last text has a megabyte.
    private static func long(_ start: String) -> [UInt8] {
        Array(start.utf8) + [UInt8](repeating: UInt8(ascii: "9"), count: 1 << 20) + Array(#""}"#.utf8)
    }
}
