import DeliverySimulation
import ProviderAPI

extension FuzzTarget {
    /// A row of any bytes between two good ones. It must not spoil them while its quotes and brackets tell its end.
    static let rows = FuzzTarget(
        name: "rows", share: 40, samples: RowReading.samples,
        make: { [UInt8(ascii: ",")] + HostilePage.entry(&$0) + [UInt8(ascii: ",")] },
        check: { bytes in
            let page = [UInt8(ascii: "[")] + RowReading.good + bytes + RowReading.good + [UInt8(ascii: "]")]
            guard case .page(let read) = await PageReading.read(page) else {
                return try Violation.unless(!RowReading.isOneRow(bytes), "a row spoilt its page")
            }
            let ids = read.items.map { item in
                if case .entry(let entry) = item { entry.taskID.text } else { "" }
            }
            if RowReading.isOneRow(bytes) {
                try Violation.unless(ids.count == 3, "one row was read as \(ids.count - 2)")
                try Violation.unless(ids.first == "good" && ids.last == "good", "a row spoilt its neighbours")
            }
        })
}

/// Judges, in another way than the product, whether some bytes can be told from the rows around them.
enum RowReading {
    static let good = Array(#"{"id": "good", "status": "success"}"#.utf8)

    /// Whether these bytes, between two commas, are an object by their quotes and brackets alone.
    static func isOneRow(_ bytes: [UInt8]) -> Bool {
        guard bytes.first == UInt8(ascii: ","), bytes.last == UInt8(ascii: ",") else { return false }
        let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
        // At both ends only: a blank behind a backslash is what is escaped.
        let text = bytes.dropFirst().dropLast().drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }
            .reversed()
        guard text.first == UInt8(ascii: "{") else { return false }
        var (depth, isInString, isEscaped) = (0, false, false)
        for (index, byte) in text.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if isInString {
                if byte == UInt8(ascii: "\"") { isInString = false }
                isEscaped = byte == UInt8(ascii: "\\")
            } else {
                isInString = byte == UInt8(ascii: "\"")
                if "{[".utf8.contains(byte) { depth += 1 }
                if "}]".utf8.contains(byte) { depth -= 1 }
                if depth == 0, !isInString { return index == text.count - 1 }
            }
        }
        return false
    }

    static let samples: [[UInt8]] = [
        Array(#",{"id": 1, "status": "failure", "x": NaN},"#.utf8), Array(#",{"id": 1, "x": "\x41"},"#.utf8),
        Array(",{\"id\": 1, \"x\": \"M".utf8) + [0xFC] + Array("ller\"},".utf8), Array(",{\"x\": \"\u{9}\"},".utf8),
        Array(#",{"x": "he said "no" to it", "y": [1, 2,]},"#.utf8), Array(#",{"x": {a: -Infinity}, 'y': 01},"#.utf8),
        Array(#",{"x": "\\", "y": "\""},"#.utf8), Array(#",{"x": [1}},"#.utf8), Array(",{},".utf8),
    ]
}
