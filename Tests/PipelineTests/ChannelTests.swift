import Foundation
import Pipeline
import Primitives
import Testing

@Test(arguments: [1, 3]) func aChannelKeepsOrderAndEnds(capacity: Int) throws {
  let channel = Channel<Int>(capacity: capacity)
  let thread = Thread {
    for value in 0..<500 { try? channel.send(value) }
    channel.finish()
  }
  thread.start()
  var received: [Int] = []
  while let value = try channel.receive() { received.append(value) }
  #expect(received == Array(0..<500))
  #expect(try channel.receive() == nil)
}

@Test func aChannelCarriesTheSendersErrorAndTheReceiversLeaving() throws {
  let broken = Channel<Int>(capacity: 4)
  try broken.send(1)
  broken.finish(WeirError("upstream", "died"))
  #expect(try broken.receive() == 1)
  #expect(throws: WeirError("upstream", "died")) { try broken.receive() }

  let left = Channel<Int>(capacity: 1)
  left.cancel()
  #expect(throws: ChannelCanceled.self) { for value in 0..<3 { try left.send(value) } }
}
