import Foundation
import Primitives

// What libFuzzer calls. WEIR_FUZZ names the reader; `scripts/fuzz` builds this with the readers' own sources, the address sanitizer and the
// coverage that guides libFuzzer. A reader may throw a `WeirError` of one line; whatever else happens is a finding.

/// Bytes under a path: the readers open files, and one in memory costs two system calls.
struct FuzzFile {
  private let descriptor: Int32
  let path: String

  init() {
    // Without a name it is gone with the process.
    let name = "/dev/shm/weir-fuzz-\(getpid())"
    descriptor = open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0, unlink(name) == 0 else { fatalError("no file in memory") }
    path = "/proc/self/fd/\(descriptor)"
  }

  /// Makes `bytes` the file's content.
  func put(_ bytes: [UInt8]) {
    guard bytes.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count,
      ftruncate(descriptor, off_t(bytes.count)) == 0
    else {
      fatalError("the file in memory cannot be written")
    }
  }
}

/// A finding: what a reader must not do, whatever it reads.
func finding(_ text: String) -> Never { fatalError("finding: \(text)") }

/// Calls a reader, which may refuse what it reads with one line.
func allowingErrors(_ body: () throws -> Void) {
  do {
    try body()
  } catch let error as WeirError {
    if error.description.isEmpty || error.description.contains("\n") { finding("an error that is not one line: \(error)") }
  } catch {
    finding("an error that names no place: \(error)")
  }
}

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["WEIR_FUZZ"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("WEIR_FUZZ=\(name) is none of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return target
}()
private let file = FuzzFile()

/// One input, as libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: bytes, count: count))
  allowingErrors { try target.read(input, file) }
  return 0
}
