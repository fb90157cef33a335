/** The bytes or the JSON are not the OTLP request they claim to be. The message names the place and the reason. */
export class OtlpDecodeError extends Error {
  override readonly name = "OtlpDecodeError";
}
