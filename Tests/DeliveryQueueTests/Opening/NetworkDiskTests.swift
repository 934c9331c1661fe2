import Foundation
import LocalFiles
import TestSupport
import Testing

@testable import DeliveryQueue

@Suite struct NetworkDiskTests {
    @Test(
        arguments: [
            (0x6969, "NFS"), (0x517B, "SMB"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x00C3_6400, "CephFS"),
        ] as [(UInt32, String)]) func `a file system that machines share is known by its number`(
            type: UInt32, name: String
        )
    {
        #expect(NetworkDisk.name(ofType: type) == name)
    }

    /// ext4, XFS, Btrfs, ZFS, tmpfs, overlay, F2FS; 9p and FUSE, which may be local.
    @Test(
        arguments: [
            0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630, 0xF2F5_2010, 0x0102_1997,
            0x6573_5546,
        ] as [UInt32]) func `a local one is none of them`(type: UInt32)
    {
        #expect(NetworkDisk.name(ofType: type) == nil)
    }

    /// The folder is asked by what is open, not by its name, which another folder has taken meanwhile.
    @Test func `the file system is that of the open folder, whatever has its name by then`() throws {
        let (disk, proc) = (try TemporaryFolder(), try OpenFolder("/proc/self"))
        try FileManager.default.createDirectory(atPath: disk.file("inner"), withIntermediateDirectories: false)
        let place = try FilePlace(disk.file("inner/queue.db"))
        let type = place.folder.fileSystemType
        try FileManager.default.removeItem(atPath: disk.file("inner"))
        try FileManager.default.createSymbolicLink(atPath: disk.file("inner"), withDestinationPath: "/proc")

        #expect(type != nil && place.folder.fileSystemType == type)
        #expect(proc.fileSystemType == 0x9FA0 && type != 0x9FA0)
        #expect(NetworkDisk.name(at: disk.file("inner")) == nil)
    }
}
