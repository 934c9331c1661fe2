import Foundation
import GRDB
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue

/// Any call to the disk may fail, in anything that the store does. The database keeps a whole state, the error helps,
/// and doing the same again ends the same.
@Suite struct FaultTests {
    /// `make faults`: every call.
    private static let isWhole = ProcessInfo.processInfo.environment["REDELIVER_TEST_FAULTS"] == "whole"
    /// What `make test` leaves out of what `make prove` tries.
    private static let thinning = Proofs.areLong ? 1 : 10

    /// Fails calls of every kind, once and for good; in `make prove` one in `stride`, and fewer that stay broken.
    private func sweep(_ name: String, _ operation: FaultedOperation, stride: Int = 1) async throws {
        var counts: [String] = []
        for fault in Fault.allCases {
            var sum = 0
            for isPersistent in [false, true] {
                var step = Self.isWhole ? 1 : Self.thinning * (isPersistent ? 4 * stride + 1 : stride)
                // SQLite waits for a busy file until its timeout, whichever call meets it.
                if fault == .busy { step *= isPersistent ? 20 : 3 }
                sum += try await FaultSweep(
                    name: name, operation: operation, fault: fault, isPersistent: isPersistent, stride: step
                ).run()
            }
            counts.append("\(fault) \(sum)")
        }
        print("faults injected, \(name): \(counts.joined(separator: ", "))")
    }

    // MARK: - The store's transactions

    @Test func `a page of a log is stored whole or not at all, whatever fails`() async throws {
        try await sweep("ingest", StoreOperations.ingest())
    }

    @Test func `a claim is committed whole or not at all, whatever fails`() async throws {
        try await sweep("claim", StoreOperations.claim())
    }

    @Test func `outcomes are recorded all or none, whatever fails`() async throws {
        try await sweep("record", StoreOperations.record())
    }

    @Test func `silence settles whole batches or nothing, whatever fails`() async throws {
        try await sweep("settle", StoreOperations.settle())
    }

    @Test func `pruning removes whole batches or nothing, whatever fails`() async throws {
        try await sweep("prune", StoreOperations.prune())
    }

    @Test func `giving space back changes no row, whatever fails`() async throws {
        try await sweep("reclaim space", StoreOperations.reclaimSpace())
    }

    // MARK: - The files

    @Test func `a migration stops between two steps or not at all, whatever fails`() async throws {
        try await sweep("migrate", FileOperations.migrate(), stride: 7)
    }

    @Test func `a new database is made whole in the end, whatever fails first`() async throws {
        try await sweep("create", FileOperations.create(), stride: 7)
    }

    @Test func `a backup is there whole or not at all, whatever fails`() async throws {
        try await sweep("back up", FileOperations.backUp(), stride: 5)
    }
}
