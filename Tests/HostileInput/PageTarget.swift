import DeliverySimulation
import Foundation
import ProviderAPI

extension FuzzTarget {
    /// Log pages. The client must read in a page what a second reader sees in it.
    static let page = FuzzTarget(
        name: "page", share: 330, samples: PageReading.samples, make: HostilePage.make,
        check: { bytes in
            let read = await PageReading.read(bytes)
            guard let tree = ReferenceJSON(bytes) else { return try PageReading.checkDamaged(read, bytes) }
            try Violation.unless(!read.isRefusedAsJSON, "JSON was refused: \(read)")
            guard case .page(let page) = read else { return }
            let elements = try PageReading.list(tree)
            try Violation.unless(page.items.count == elements.count, "\(page.items.count) of \(elements.count) entries")
            for (item, node) in zip(page.items, elements) { try PageReading.check(item, node, tree) }
        })
}

/// One page through the client, and the same page through ``ReferenceJSON``.
enum PageReading: CustomStringConvertible {
    case page(LogPage)
    case refused(ProviderError)

    static func read(_ bytes: [UInt8]) async -> PageReading {
        do throws(ProviderError) {
            return .page(try await Planted.client(HTTPResponse(status: 200, body: bytes)).logs(of: "e"))
        } catch {
            return .refused(error)
        }
    }

    /// Whether the text was refused because it is not JSON, not because of its content.
    var isRefusedAsJSON: Bool {
        guard case .refused(let error) = self, case .unreadableAnswer(let cause) = error.reason else { return false }
        return ["the answer is not JSON", "the answer is HTML", "the answer is empty"].contains { cause.hasPrefix($0) }
    }

    var description: String {
        switch self {
        case .page(let page): "a page of \(page.items.count)"
        case .refused(let error): "\(error)"
        }
    }

    /// The elements of the list that docs/provider-api.md describes: the answer, or the first of four names in it.
    static func list(_ tree: ReferenceJSON) throws -> [ReferenceJSON.Node] {
        if tree.root.kind == .array { return tree.root.children.map { tree.nodes[$0] } }
        for name in ["results", "logs", "data", "items"] {
            let all = zip(tree.root.keys, tree.root.children).filter { $0.0 == name }.map { tree.nodes[$0.1] }
            let usable = all.last { $0.kind == .array || (tree.text(of: $0) == Array("null".utf8)) }
            if let usable { return usable.children.map { tree.nodes[$0] } }
        }
        throw Violation("a page without a list was read")
    }

    static func check(_ item: LogPage.Item, _ node: ReferenceJSON.Node, _ tree: ReferenceJSON) throws {
        switch item {
        case .unreadable(let entry):
            let text = tree.text(of: node)
            let isCut = entry.reason == .tooLong
            try Violation.unless(
                entry.length == text.count && entry.raw == (isCut ? Array(text.prefix(4_096)) : text),
                "an unreadable entry is not what stood there")
        case .entry(let entry):
            try check(entry, node, tree)
        }
    }

    /// A page that is not JSON: what was read of it stands in it, and bodies are JSON.
    static func checkDamaged(_ read: PageReading, _ bytes: [UInt8]) throws {
        guard case .page(let page) = read else { return }
        for item in page.items {
            switch item {
            case .unreadable(let entry):
                try Violation.unless(bytes.firstRange(of: entry.raw) != nil, "an unreadable entry stood nowhere")
            case .entry(let entry):
                guard let body = entry.body else { continue }
                try Violation.unless(bytes.firstRange(of: body) != nil, "a body stood nowhere")
                try Violation.unless(ReferenceJSON(body) != nil, "a body is not JSON")
            }
        }
    }

    private static func check(_ entry: LogEntry, _ node: ReferenceJSON.Node, _ tree: ReferenceJSON) throws {
        try Violation.unless(node.kind == .object, "an entry was read where no object stood")
        let present = ["body", "payload", "request_body"].compactMap { tree.member($0, of: node) }
        let body = present.first { tree.text(of: $0) != Array("null".utf8) } ?? present.first
        if let found = entry.body {
            try Violation.unless(body.map(tree.text) == found, "a body is not the bytes that stood there")
        } else {
            try Violation.unless(
                body.map { $0.range.count > 4 << 20 } ?? true, "a body that stood there was not kept")
        }
        let ids = ["task_id", "id"].compactMap { tree.member($0, of: node) }.filter { isID($0, tree) }
        try Violation.unless(
            ids.first.map(tree.text) == Array(entry.taskID.json.utf8), "the task id has another token")
        let texts = [entry.taskID.json, entry.customerID?.json, entry.webhookID?.json, entry.eventType]
        try Violation.unless(texts.allSatisfy { ($0?.utf8.count ?? 0) <= 1_024 }, "an id or event type is too long")
        try checkTimes(entry)
        try Violation.unless((entry.errorText?.count ?? 0) <= 500, "an error text is too long")
        try Violation.unless(
            ![.failed, .unsaid].contains(entry.outcome) || (entry.body != nil && entry.eventType != nil),
            "a failure lacks a body or an event type")
    }

    private static func isID(_ node: ReferenceJSON.Node, _ tree: ReferenceJSON) -> Bool {
        node.kind == .string || (node.kind == .number && tree.text(of: node).allSatisfy { !".eE".utf8.contains($0) })
    }

    private static func checkTimes(_ entry: LogEntry) throws {
        for time in [entry.loggedAt, entry.changedAt].compactMap({ $0 }) {
            try Violation.unless((0...253_402_300_799_999).contains(time), "a time outside 1970 to 9999: \(time)")
        }
        try Violation.unless((entry.loggedAt == nil) == (entry.changedAt == nil), "one time without the other")
    }

    static let samples: [[UInt8]] = [
        #"""
        {"count": 2, "next": "https://api.test/p?page=2", "links": {"next": null}, "results": [
          {"task_id": "a-1", "event_type": "document_upload", "customer_id": 12, "webhook_id": null, "status": "failure",
           "status_code": 500, "created_at": "2024-05-01T12:34:56.5+03:00", "error": "é \u00e9 \ud834\udd1e \/",
           "body": {"z": [1.0, 1e400, -0.0, 123456789012345678901234567890], "a": {"k": "v", "k": "w"}, "n": null}},
          {"id": 7, "event": "x", "success": true, "timestamp": 1700000000.25, "payload": "text"}
        ]}
        """#,
        #"[{"task_id": 1, "event": "e", "status": 0, "body": null, "updated_at": 1}, 2, null, [], "x", {"a": 1}]"#,
        #"{"data": null}"#, "[]", "{}", "null", "<html></html>", "",
    ].map { Array($0.utf8) }
}

extension FuzzTarget {
    /// Any JSON text. The client must accept and refuse it, in a row of a page, like a second reader and, except for
    /// known differences, like Foundation.
    static let json = FuzzTarget(
        name: "json", share: 260, samples: JSONReading.samples, make: { HostileJSON.value(&$0, depth: 5) },
        check: { bytes in
            let row = Array("[{\"a\":".utf8) + bytes + Array("}]".utf8)
            let isSound = await JSONReading.isSound(PageReading.read(row))
            let tree = ReferenceJSON(row)
            try Violation.unless(
                isSound.map { $0 == (tree != nil) } ?? true, tree == nil ? "no JSON was accepted" : "JSON was refused")
            try JSONReading.compareWithFoundation(bytes, ReferenceJSON(bytes))
        })
}

/// Judges soundness, and knows the differences between RFC 8259 and Foundation's reader.
enum JSONReading {
    /// Whether a page was read and all its rows are JSON; nil when one is too deep to tell.
    static func isSound(_ read: PageReading) -> Bool? {
        guard case .page(let page) = read else { return !read.isRefusedAsJSON }
        let reasons = page.items.compactMap { item -> UnreadableEntry.Reason? in
            if case .unreadable(let entry) = item { entry.reason } else { nil }
        }
        if reasons.contains(.tooDeep) { return nil }
        // What stands between two rows of such a page is none of the text.
        return !reasons.contains(.badJSON) && !reasons.contains(.notAnObject)
    }

    static func compareWithFoundation(_ bytes: [UInt8], _ tree: ReferenceJSON?) throws {
        // Foundation does not read deep texts, and converts long numbers slowly.
        guard bytes.count < 4_096, (tree?.depth ?? 0) < 500 else { return }
        let isAccepted = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
        if isAccepted, tree == nil {
            // It accepts UTF-16, UTF-32 and a byte order mark, which RFC 8259 forbids, and a last comma.
            let hasLastComma = String(decoding: bytes, as: UTF8.self).contains(
                /,[ \t\r\n]*[\]}]/.matchingSemantics(.unicodeScalar))
            let isOtherEncoding =
                bytes.contains(0)
                || [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]].contains {
                    bytes.starts(with: $0)
                }
            try Violation.unless(isOtherEncoding || hasLastComma, "Foundation accepts what we refuse")
        }
        if !isAccepted, let tree {
            // It cannot represent numbers beyond a Double and halves of surrogate pairs.
            let isUnbuildable = tree.nodes.contains { node in
                let text = tree.text(of: node)
                return node.kind == .number && !(Double(String(decoding: text, as: UTF8.self)) ?? .nan).isFinite
            }
            let hasSurrogate = String(decoding: bytes, as: UTF8.self).lowercased().contains("\\ud")
            try Violation.unless(isUnbuildable || hasSurrogate, "Foundation refuses what we accept")
        }
    }

    static let samples: [[UInt8]] = [
        #"{"a":[1,2.5e3,-0,true,false,null,"é\u00e9\ud834\udd1e\/\b\f\n\r\t\"\\"],"a":{}}"#, #"[[],{},[{}],[[[]]]]"#,
        #""\ud800""#, "1e400", "-0.0", "[1e-400]", "\"\u{FEFF}\u{2028}\u{10FFFF}\"", "0", "\"\"", " [ ] ", "nul",
        "\u{FEFF}[]", "[1,]", "{\"a\":1,}",
    ].map { Array($0.utf8) }
}
