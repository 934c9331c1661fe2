/// A strict reader of the text exposition format 0.0.4, written from its specification: knows nothing of our writer.
struct MetricsParser {
    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: String
    }

    struct Fault: Error, Equatable {
        let line: Int
        let reason: String
    }

    private(set) var samples: [Sample] = []
    private(set) var types: [String: String] = [:]
    private(set) var helps: [String: String] = [:]

    /// - Throws: `Fault` for anything that the format does not allow, and for a series or a HELP or TYPE that repeats.
    init(_ page: String) throws(Fault) {
        guard page.utf8.last == UInt8(ascii: "\n") else { throw Fault(line: 0, reason: "no line break at the end") }
        var series: Set<String> = []
        let lines = page.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        for (index, bytes) in lines.enumerated() {
            let line = String(decoding: bytes, as: UTF8.self)
            let number = index + 1
            if line.hasPrefix("# ") {
                try readComment(line, number)
            } else {
                let sample = try Self.sample(Array(line.unicodeScalars), number)
                let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                guard series.insert(([sample.name] + labels).joined(separator: "\u{1}")).inserted else {
                    throw Fault(line: number, reason: "the series repeats: \(line)")
                }
                guard family(of: sample.name) != nil else {
                    throw Fault(line: number, reason: "a sample before its TYPE: \(line)")
                }
                samples.append(sample)
            }
        }
    }

    /// The values of a metric whose labels contain these.
    func values(_ name: String, _ labels: [String: String] = [:]) -> [String] {
        samples.filter { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }
            .map(\.value)
    }

    private func family(of name: String) -> String? {
        if types[name] != nil { return name }
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let base = String(name.dropLast(suffix.count))
            if types[base] == "histogram" { return base }
        }
        return nil
    }

    private mutating func readComment(_ line: String, _ number: Int) throws(Fault) {
        let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard parts.count == 4 else { throw Fault(line: number, reason: "an unknown comment: \(line)") }
        switch parts[1] {
        case "HELP":
            guard helps.updateValue(parts[3], forKey: parts[2]) == nil else {
                throw Fault(line: number, reason: "HELP repeats for \(parts[2])")
            }
        case "TYPE":
            guard types.updateValue(parts[3], forKey: parts[2]) == nil else {
                throw Fault(line: number, reason: "TYPE repeats for \(parts[2])")
            }
        default: throw Fault(line: number, reason: "an unknown comment: \(line)")
        }
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = ["\\": "\\", "\"": "\"", "n": "\n"]

    private static func sample(_ line: [Unicode.Scalar], _ number: Int) throws(Fault) -> Sample {
        var position = 0
        func fault(_ reason: String) -> Fault { Fault(line: number, reason: "\(reason) at column \(position + 1)") }
        func word() -> String {
            let start = position
            while position < line.count, isName(line[position]) { position += 1 }
            return String(String.UnicodeScalarView(line[start..<position]))
        }
        func isName(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isAlphabetic || "0123456789_:".unicodeScalars.contains(scalar)
        }
        func skip(_ scalar: Unicode.Scalar) -> Bool {
            guard position < line.count, line[position] == scalar else { return false }
            position += 1
            return true
        }
        var sample = Sample(name: word(), labels: [:], value: "")
        guard !sample.name.isEmpty else { throw fault("no metric name") }
        if skip("{") {
            repeat {
                let name = word()
                guard !name.isEmpty, skip("="), skip("\"") else { throw fault("no label") }
                var value = String.UnicodeScalarView()
                while !skip("\"") {
                    guard position < line.count else { throw fault("a label that does not end") }
                    var scalar = line[position]
                    position += 1
                    if scalar == "\\" {
                        guard position < line.count, let plain = escapes[line[position]] else {
                            throw fault("an unknown escape")
                        }
                        scalar = plain
                        position += 1
                    }
                    value.append(scalar)
                }
                guard sample.labels.updateValue(String(value), forKey: name) == nil else {
                    throw fault("a label twice")
                }
            } while skip(",")
            guard skip("}") else { throw fault("no closing brace") }
        }
        guard skip(" ") else { throw fault("no space before the value") }
        sample.value = String(String.UnicodeScalarView(line[position...]))
        guard Double(sample.value) != nil || ["+Inf", "-Inf", "NaN"].contains(sample.value) else {
            throw fault("no number")
        }
        return sample
    }
}
