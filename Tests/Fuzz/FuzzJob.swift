import Foundation
import HostileInput

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The result of one child for one target, which it prints as a line of JSON for its parent.
struct FuzzReport: Codable {
    let target: String
    var inputs = 0
    var seconds = 0.0
    /// The seconds of the slowest input.
    var slowest = 0.0
    var slowestNumber: UInt64 = 0
    /// The first few violations with the numbers of their inputs.
    var violations: [String] = []

    init(target: String) {
        self.target = target
    }

    static func write(_ report: FuzzReport) {
        if let line = try? JSONEncoder().encode(report) { say(String(decoding: line, as: UTF8.self)) }
    }

    /// Writes a line to standard output at once.
    static func say(_ line: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }
}

/// A child's share of the inputs: each `stride`th input, beginning with `offset`.
struct FuzzJob {
    let journal: FuzzJournal
    let seed: UInt64
    let offset: Int
    let stride: Int
    let found: String

    /// After so many violations, further inputs of a target tell nothing new.
    private static let enough = 10

    func run(_ target: FuzzTarget, inputs: Int) async -> FuzzReport {
        var report = FuzzReport(target: target.name)
        let place = FuzzTarget.all.firstIndex { $0.name == target.name } ?? 0
        let clock = ContinuousClock()
        let begun = clock.now
        let parent = getppid()
        for number in Swift.stride(from: UInt64(offset), to: UInt64(inputs), by: stride) {
            journal.begin(.init(target: place, number: number))
            let input = target.input(seed: seed, number: number)
            let start = clock.now
            do {
                try await target.check(input)
            } catch {
                report.violations.append("\(number): \(error)")
                FoundInput.save(input, target: target.name, seed: seed, number: number, in: found)
            }
            let took = (clock.now - start) / .seconds(1)
            if took > report.slowest { (report.slowest, report.slowestNumber) = (took, number) }
            report.inputs += 1
            // A child without its parent ends itself.
            if report.violations.count >= Self.enough || getppid() != parent { break }
        }
        report.seconds = (clock.now - begun) / .seconds(1)
        return report
    }
}

/// Writes an input that did harm to a file, whose name says how to make it again.
enum FoundInput {
    @discardableResult
    static func save(_ input: [UInt8], target: String, seed: UInt64, number: UInt64, in folder: String) -> String {
        let directory = URL(filePath: folder).appending(path: target)
        let file = directory.appending(path: "seed-\(seed)-input-\(number)")
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try? Data(input).write(to: file)
        return file.path
    }
}
