import DeliverySimulation
import ProviderAPI

extension FuzzTarget {
    /// Packed bodies: cut, mixed and flipped members. Each is unpacked or refused, the same in whatever pieces it
    /// comes.
    static let packed = FuzzTarget(
        name: "packed", share: 60, samples: PackedReading.samples, make: PackedReading.make,
        check: { bytes in
            let limit = 100_000
            let whole = PackedReading.unpacked(bytes, in: bytes.count, limit: limit)
            for size in [1, 7, 1_000] {
                try Violation.unless(
                    PackedReading.unpacked(bytes, in: size, limit: limit) == whole, "another body in pieces of \(size)")
            }
            try Violation.unless((whole?.count ?? 0) <= limit, "a body above the limit")
        })

    /// Rows with addresses that are signed anew each time. What is left of JSON is JSON, and nothing more is cut from
    /// it.
    static let signed = FuzzTarget(
        name: "signed", share: 40, samples: SignedReading.samples, make: SignedReading.make,
        check: { bytes in
            let cut = SignedAddress.cut(from: bytes)
            try Violation.unless(cut.count <= bytes.count, "it has grown")
            guard ReferenceJSON(bytes) != nil else { return }
            try Violation.unless(SignedAddress.cut(from: cut) == cut, "cut again it is another text")
            try Violation.unless(ReferenceJSON(cut) != nil, "what is left is no JSON")
        })
}

enum PackedReading {
    /// The body; nil when it is refused.
    static func unpacked(_ bytes: [UInt8], in size: Int, limit: Int) -> [UInt8]? {
        do throws(AnswerBody.Fault) {
            var body = try AnswerBody(codings: ["gzip"], limit: limit)
            for start in stride(from: 0, to: bytes.count, by: max(1, size)) {
                try body.append(bytes[start..<min(bytes.count, start + max(1, size))])
            }
            try body.finish()
            return body.bytes
        } catch {
            return nil
        }
    }

    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...3, using: &random)).flatMap { _ -> [UInt8] in
            let content = Hostile.chance(1, in: 3, &random) ? [] : HostileJSON.value(&random, depth: 3)
            let member = GzipFile.member(content.prefix(60_000))
            guard Hostile.chance(1, in: 3, &random) else { return member }
            return Array(member.prefix(Int.random(in: 0...member.count, using: &random)))
        } + [UInt8](repeating: 0, count: Hostile.chance(1, in: 4, &random) ? 9 : 0)
    }

    static let samples: [[UInt8]] =
        GzipFile.forms.map { $0.make(Array(#"[{"task_id": "a"}]"#.utf8)) } + [GzipBomb.bytes(unpacked: 1 << 20)]
}

enum SignedReading {
    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let chosen = (0..<Int.random(in: 1...6, using: &random)).map { _ in Hostile.pick(pieces, &random) }
        return Array(#"{"file": "\#(chosen.joined())", "b": "https://b.test/?x=1"}"#.utf8)
    }

    private static let pieces = [
        "https://a.test/f", "http:", "//", #"\/\/"#, "?", "?X-Signature=1&b=2", #"\""#, #"\\"#, " ", "see ", #"\u003f"#,
        ":",
        "é", #"\n"#, "ftp://h?q",
    ]

    static let samples: [[UInt8]] = [
        #"{"file": "https://files.test/a.pdf?X-Signature=1&b=c", "n": 1}"#, #"{"a": "https:\/\/a.test\/?b=\"c\""}"#,
        #"{"a": "see https://a.test/?b=c\\", "b": "https://b.test/?x"}"#, #"["http://?"]"#,
    ].map { Array($0.utf8) }
}
