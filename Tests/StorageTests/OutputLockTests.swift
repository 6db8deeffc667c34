import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct OutputLockTests {
  /// Locks a lock file as another process would: `flock` belongs to the open file.
  private func whileHeld(_ file: String, _ text: String, _ body: () throws -> Void) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    let descriptor = open(file, O_RDWR)
    defer { close(descriptor) }
    try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    try body()
  }

  private static let holder = #"{"pid":4242,"host":"elsewhere","since":"2026-01-31T10:00:00Z","command":"weir train set -o run"}"#

  @Test func theSecondProcessLearnsWhoHoldsTheOutput() throws {
    try withTemporaryFolder { folder in
      let attempts: [(String, () throws -> Void)] = [
        ("/.a.lock", { try Files.write([1], to: folder + "/a") }), ("/.a.lock", { _ = try AtomicFolder(folder + "/a/") }),
        ("/.a.lock", { _ = try OutputLock.hold([folder + "/a"]) }), ("/run/.lock", { _ = try OutputLock(filling: folder + "/run") }),
      ]
      try Files.createFolder(folder + "/run")
      for (lock, attempt) in attempts {
        try whileHeld(folder + lock, Self.holder) {
          let holder = "(pid 4242 on elsewhere since 2026-01-31T10:00:00Z: `weir train set -o run`)"
          #expect(errorMessage(attempt).contains("another process is writing to it \(holder); wait"))
        }
        try whileHeld(folder + lock, "") { #expect(errorMessage(attempt).contains("another process is writing to it; wait")) }
        // The lock file of a killed process is taken over and removed.
        #expect(errorMessage(attempt) == "")
        #expect(!Files.exists(folder + lock))
        try Files.remove(folder + "/a")
      }
    }
  }

  @Test func aCommandHoldsWhatItWrites() throws {
    try withTemporaryFolder { folder in
      let locks = try OutputLock.hold([folder + "/a", folder + "/b", "-", "/dev/null", folder + "/missing/c"])
      #expect(locks.count == 2)
      try Files.write([1], to: folder + "/a")
      let output = try AtomicFolder(folder + "/b")
      #expect(errorMessage { _ = try OutputLock.hold([folder + "/./b"]) }.contains("written twice"))
      // Files in the partial folder take no lock of their own.
      try Files.write([2], to: output.working + "/inside")
      #expect(try Files.entries(of: output.working) == ["inside"])
      #expect(try Files.entries(of: folder) == [".a.lock", ".b.lock", "a", "b.partial"])
      _ = try output.commit(format: "weir.test.1", tool: "test", inputs: [:], configuration: .object([:]), counts: [:])
      for lock in locks { lock.release() }
      #expect(try Files.entries(of: folder) == ["a", "b"])
    }
  }

  @Test func aFolderThatIsFilledIsLockedInside() throws {
    try withTemporaryFolder { folder in
      let lock = try OutputLock(filling: folder + "/run")
      try Files.write([1], to: folder + "/run/log")
      #expect(try Files.entries(of: folder + "/run") == [".lock", "log"])
      // The lock follows a folder that is renamed, and leaves its file behind.
      try Files.move(folder + "/run", to: folder + "/renamed")
      let other = try OutputLock(filling: folder + "/other")
      lock.release()
      #expect(try Files.entries(of: folder + "/renamed") == [".lock", "log"])
      other.release()
      // It was created for the lock, and is empty.
      #expect(!Files.exists(folder + "/other"))
    }
  }
}
