import ArgumentParser
import DeliveryWorker
import Foundation

/// `make bench`: what a delivery costs, each figure the median of several runs.
@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver-bench",
        abstract: "Measures redeliver against what must be reached, and against other ways to do the same.")

    @Option(help: "Only these: \(Benchmark.all.map(\.name).joined(separator: ", ")).")
    var only: [String] = []
    @Option(help: "Stored deliveries; one measurement for each.")
    var rows: [Int] = [10_000, 100_000, 1_000_000]
    @Option(help: "Runs of each measurement, after one to warm up.")
    var runs = 5
    @Option(help: "The program as it is shipped.")
    var program = ".build/redeliver"
    @Option(help: "A Python that has aiohttp and uvloop; python3 of the system when left out.")
    var python: String?
    @Option(help: "The folder for databases; the disk below it is what is measured.")
    var folder = ".build/bench"
    @Option(help: "Where the figures are written as JSON.")
    var json = ".build/bench.json"

    @Option(help: .hidden)
    var page: Int?

    func validate() throws {
        let unknown = only.filter { name in !Benchmark.all.contains { $0.name == name } }
        guard unknown.isEmpty else { throw ValidationError("there is no benchmark \(unknown.joined(separator: ", "))") }
        guard runs >= 1, !rows.isEmpty, rows.allSatisfy({ $0 >= 1 }) else {
            throw ValidationError("--runs and --rows are at least 1")
        }
    }

    func run() async throws {
        let files = try BenchFolder(in: URL(filePath: folder))
        defer { files.remove() }
        if let page {
            let (memory, seconds) = try await PageBench.store(number: page, files)
            return print(memory, seconds)
        }
        var report = Report(
            version: RedeliverVersion.current, finished: Date.now.formatted(.iso8601),
            machine: try Machine.current(folder: files.url), runs: runs)
        print(report.title, terminator: "\n\n")
        Report.head.forEach { print($0) }
        let bench = Bench(
            files: files, rows: rows, runs: runs, program: URL(filePath: program),
            python: python.map { URL(filePath: $0) })
        for benchmark in Benchmark.all where only.isEmpty || only.contains(benchmark.name) {
            for figure in try await benchmark.measure(bench) {
                report.figures.append(figure)
                print(Report.line(figure))
            }
            fflush(nil)
            try report.write(to: json)
        }
        for figure in report.flatness {
            report.figures.append(figure)
            print(Report.line(figure))
        }
        try report.write(to: json)
        print("\n" + report.table(of: rows).joined(separator: "\n"))
        let missed = report.figures.filter { $0.isMet == false }
        print("\n\(report.figures.count) figures in \(json); missed: \(missed.count)")
        if missed.contains(where: \.mustHold) { throw ExitCode.failure }
    }
}

/// What every measurement is given.
struct Bench: Sendable {
    let files: BenchFolder
    /// Numbers of stored deliveries.
    let rows: [Int]
    let runs: Int
    /// `redeliver` as it is shipped.
    let program: URL
    /// With aiohttp and uvloop; nil: the system's.
    let python: URL?

    /// Warms up once, then takes a value of each run.
    func series(_ run: () async throws -> Double) async rethrows -> [Double] {
        _ = try await run()
        var values: [Double] = []
        for _ in 0..<runs { values.append(try await run()) }
        return values
    }
}

/// Something that is measured by itself.
struct Benchmark: Sendable {
    let name: String
    let measure: @Sendable (Bench) async throws -> [Figure]

    static let all = [
        Benchmark(name: "decode", measure: DecodingBench.measure),
        Benchmark(name: "page", measure: PageBench.measure),
        Benchmark(name: "ingest", measure: IngestBench.measure),
        Benchmark(name: "cycles", measure: CycleBench.measure),
        Benchmark(name: "poll", measure: PollBench.measure),
        Benchmark(name: "requests", measure: RequestBench.measure),
        Benchmark(name: "drain", measure: DrainBench.measure),
        Benchmark(name: "prune", measure: PruneBench.measure),
        Benchmark(name: "pick-up", measure: PickUpBench.measure),
        Benchmark(name: "start", measure: StartBench.measure),
        Benchmark(name: "idle", measure: IdleBench.measure),
        Benchmark(name: "binary", measure: BinaryBench.measure),
    ]
}
