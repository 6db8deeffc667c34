import Foundation
import Primitives

// The entry point for libFuzzer. WEIR_FUZZ selects the reader; `scripts/fuzz` builds this file with the sources of the readers, the address
// sanitizer and coverage instrumentation. A reader may throw a `WeirError` with a one-line description; anything else is a finding.

/// An in-memory file: the readers open paths, and this way an input costs only two system calls.
struct FuzzFile {
  private let descriptor: Int32
  let path: String

  init() {
    // Unlinked, so that it disappears with the process.
    let name = "/dev/shm/weir-fuzz-\(getpid())"
    descriptor = open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0, unlink(name) == 0 else { fatalError("cannot create an in-memory file") }
    path = "/proc/self/fd/\(descriptor)"
  }

  /// Replaces the content of the file.
  func put(_ bytes: [UInt8]) {
    guard bytes.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count,
      ftruncate(descriptor, off_t(bytes.count)) == 0
    else {
      fatalError("cannot write the in-memory file")
    }
  }
}

/// Reports behavior that is wrong for every input.
func finding(_ text: String) -> Never { fatalError("finding: \(text)") }

/// Calls a reader, which may reject its input with a one-line error.
func allowingErrors(_ body: () throws -> Void) {
  do {
    try body()
  } catch let error as WeirError {
    if error.description.isEmpty || error.description.contains("\n") { finding("an error that is not one line: \(error)") }
  } catch {
    finding("an error without a location: \(error)")
  }
}

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["WEIR_FUZZ"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("WEIR_FUZZ=\(name) must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return target
}()
private let file = FuzzFile()

/// Processes one input from libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: bytes, count: count))
  allowingErrors { try target.read(input, file) }
  return 0
}
