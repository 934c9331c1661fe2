import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// Times are written as seconds after noon; the range reaches from noon to one hour later, the overlap is 15 minutes.
@Suite struct LogScanTests {
    private static let overlap = Duration.seconds(900)

    private func scan() -> LogScan {
        LogScan(range: ScanRange(from: .noon, to: .noon(3_600)), overlap: Self.overlap, started: .noon(3_600))
    }

    /// Feeds pages to a scan and tells after which it stops; nil: it wants more.
    private func pagesRead(_ pages: [[Double]]) -> Int? {
        var scan = scan()
        for (index, page) in pages.enumerated() {
            let progress = scan.take(page.map { RowTimes(logged: .noon($0)) }, next: "p\(index + 2)")
            if progress.unread == nil { return index + 1 }
        }
        return nil
    }

    /// This many times, evenly spaced.
    private static func times(from first: Double, step: Double, count: Int = 20) -> [Double] {
        (0..<count).map { first + Double($0) * step }
    }

    @Test func `a newest-first log is read until a page lies wholly before the range`() {
        let pages = [
            Self.times(from: 3_500, step: -60), Self.times(from: 2_300, step: -60),
            Self.times(from: 1_100, step: -55), Self.times(from: -10, step: -10),
        ]

        #expect(pagesRead(pages) == 4)
    }

    @Test func `a page that reaches further before the range than the overlap ends the scan as well`() {
        #expect(pagesRead([Self.times(from: 3_500, step: -250)]) == 1)
        #expect(pagesRead([Self.times(from: 3_500, step: -230)]) == nil)
    }

    @Test func `a newest-first log is not left before its range is read`() {
        #expect(pagesRead([Self.times(from: 3_500, step: -60), Self.times(from: 2_300, step: -60)]) == nil)
    }

    @Test(
        arguments: [
            "oldest first, all before the range": [LogScanTests.times(from: -50_000, step: 60)],
            "oldest first, reaching the range": [LogScanTests.times(from: -50_000, step: 3_000)],
            "equal times, all before the range": [LogScanTests.times(from: -5_000, step: 0)],
            "single entries that rise": [[-5_000], [-4_000], [-3_000]],
            "one single entry": [[-5_000]],
            "entries without time": [[], []],
            "shuffled": [[-9_000, -5_000, -20_000, -3_000, -8_000, -30_000, -100, -7_000]],
            "an oldest-first page of two with a late entry": [[-5_000, -5_100]],
            "a few shuffled entries that fall by chance": [[-1_000, -5_000, -9_000]],
        ] as [String: [[Double]]])
    func `everything but a proven newest-first log is read to the end`(log: (String, [[Double]])) {
        #expect(pagesRead(log.1) == nil, "\(log.0)")
    }

    @Test func `the end of the log ends every scan`() {
        for times in [[], [3_000], [-5_000, 3_000, -4_000]] as [[Double]] {
            var scan = scan()
            let progress = scan.take(times.map { RowTimes(logged: .noon($0)) }, next: nil)
            #expect(progress.unread == nil)
            #expect(progress.resumeURL == nil)
        }
    }

    @Test func `late entries within the overlap do not change the order, later ones do`() {
        let falling = Self.times(from: 3_500, step: -60)
        let end = Self.times(from: -1_000, step: -10)

        #expect(pagesRead([falling + [falling[19] + 899], end]) == 2)
        #expect(pagesRead([falling + [falling[19] + 901], end]) == nil)
    }

    @Test func `progress names what is unread, where to go on, and the newest time`() {
        var scan = scan()

        let first = scan.take(Self.times(from: 3_500, step: -60).map { RowTimes(logged: .noon($0)) }, next: "p2")
        scan.keep(gapID: 7)
        let second = scan.take(Self.times(from: 2_300, step: -60).map { RowTimes(logged: .noon($0)) }, next: "p3")

        #expect(
            first
                == ScanProgress(
                    gapID: nil, started: .noon(3_600), newest: .noon(3_500),
                    unread: ScanRange(from: .noon, to: .noon(3_500 - 17 * 60)), resumeURL: "p2", newestFirst: true))
        #expect(second.gapID == 7)
        #expect(second.newest == .noon(3_500))
        #expect(second.unread == ScanRange(from: .noon, to: .noon(2_300 - 17 * 60)))
    }

    @Test func `of a log in another order the whole range stays unread until its end`() {
        var scan = scan()

        let progress = scan.take(Self.times(from: 0, step: 60).map { RowTimes(logged: .noon($0)) }, next: "p2")

        #expect(progress.unread == ScanRange(from: .noon, to: .noon(3_600)))
        #expect(progress.newestFirst == false)
    }

    // MARK: - Gaps

    private func gap(newestFirst: Bool) -> ScanGap {
        ScanGap(
            id: 3, range: ScanRange(from: .noon, to: .noon(2_000)), resumeURL: "p3", newestFirst: newestFirst,
            started: .noon(3_600))
    }

    @Test func `a resumed gap keeps its number, its range, its order and the time at which its scan began`() {
        var scan = LogScan(
            resuming: gap(newestFirst: true), overlap: Self.overlap, restarts: false, at: .noon(9_000))

        let progress = scan.take([RowTimes(logged: .noon(1_500))], next: "p4")

        #expect(progress.gapID == 3)
        #expect(progress.started == .noon(3_600))
        #expect(progress.newestFirst)
        #expect(progress.unread == ScanRange(from: .noon, to: .noon(1_500)))
        #expect(scan.take([RowTimes(logged: .noon(-1)), RowTimes(logged: .noon(-2))], next: "p5").unread == nil)
    }

    @Test func `a resumed gap gives up its order as soon as entries rise`() {
        var scan = LogScan(
            resuming: gap(newestFirst: true), overlap: Self.overlap, restarts: false, at: .noon(9_000))

        #expect(
            scan.take(
                [RowTimes(logged: .noon(-90)), RowTimes(logged: .noon(-80)), RowTimes(logged: .noon(-70))], next: "p4"
            ).unread != nil)
    }

    @Test func `a gap of another order is read to the end`() {
        var scan = LogScan(
            resuming: gap(newestFirst: false), overlap: Self.overlap, restarts: false, at: .noon(9_000))

        #expect(scan.take([RowTimes(logged: .noon(-90))], next: "p4").unread != nil)
    }

    @Test func `a restarted gap keeps its range where the newest come first, because what is above was read`() {
        var scan = LogScan(resuming: gap(newestFirst: true), overlap: Self.overlap, restarts: true, at: .noon(9_000))

        #expect(scan.range == ScanRange(from: .noon, to: .noon(2_000)))
        let progress = scan.take([RowTimes(logged: .noon(8_000))], next: "p2")
        #expect(progress.unread == ScanRange(from: .noon, to: .noon(2_000)))
        #expect(progress.started == .noon(9_000))
        #expect(progress.gapID == 3)
    }

    @Test func `a restarted gap of another order covers everything up to now`() {
        var scan = LogScan(resuming: gap(newestFirst: false), overlap: Self.overlap, restarts: true, at: .noon(9_000))

        #expect(scan.range == ScanRange(from: .noon, to: .noon(9_000)))
        #expect(scan.take([RowTimes(logged: .noon(-5_000))], next: "p2").unread == scan.range)
    }

    @Test func `a row that was logged late does not lower the end of what is unread`() {
        var scan = scan()
        var times = Self.times(from: 3_500, step: -10)
        times[10] = 2_800

        let progress = scan.take(times.map { RowTimes(logged: .noon($0)) }, next: "p2")

        #expect(progress.unread?.to == .noon(3_500 - 17 * 10))
    }

    @Test func `a page ends the scan at a known row only below the second of the newest row that was read before`() {
        func stops(lastAt seconds: Double) -> Bool {
            var scan = scan()
            let times = Self.times(from: seconds + 19, step: -1)
            return scan.take(times.map { RowTimes(logged: .noon($0)) }, next: "p2").stopsAtKnown
        }

        // The range begins the overlap before that row.
        #expect(stops(lastAt: 898.9))
        #expect(!stops(lastAt: 899))
        #expect(!stops(lastAt: 2_000))
    }

    @Test func `where rows are ordered by their change, none is read again`() {
        var scan = LogScan(
            range: ScanRange(from: .noon, to: .noon(3_600)), rereadFrom: .noon(-9_000), overlap: Self.overlap,
            started: .noon(3_600))
        let rows = (0..<20).map {
            RowTimes(logged: .noon(Double($0 * 7_919 % 20) * -1_000), changed: .noon(3_500 - Double($0)))
        }

        #expect(scan.take(rows, next: "p2").hasReread)
        #expect(scan.rowsSince(isAtEnd: false) == .distantPast)
    }

    @Test func `a page that was visited before is a circle`() {
        var scan = scan()

        #expect(scan.enter("") == true)
        #expect(scan.enter("p2") == true)
        #expect(scan.enter("p3") == true)
        #expect(scan.enter("p2") == false)
    }
}
