import { z } from "zod";
import { plainTemplate, webhookKeys } from "../../config/extra-fields.ts";
import { exactlyOne } from "../../config/fields.ts";

export const WecomRobotConfig = z
  .strictObject({
    ...webhookKeys,
    message: plainTemplate(
      '{{ template "wecom_robot.default.message" . }}',
      "at most 4096 bytes as markdown, 2048 as text",
    ),
    message_type: z.enum(["markdown", "text"]).default("markdown").describe("how the message is marked up"),
    mentioned_list: z
      .array(z.string())
      .default([])
      .describe("ids of members to mention, @all for everybody; text messages only"),
    mentioned_mobile_list: z
      .array(z.string())
      .default([])
      .describe("phone numbers of members to mention; text messages only"),
  })
  .superRefine((robot, context) => {
    exactlyOne(context, robot, "webhook_url", "webhook_url_file");
    if (robot.message_type === "markdown" && robot.mentioned_list.length + robot.mentioned_mobile_list.length > 0)
      context.addIssue({
        code: "custom",
        path: ["message_type"],
        message: "mentions need message_type: text (in markdown write <@userid> into the message)",
      });
  });
export type WecomRobotConfig = z.output<typeof WecomRobotConfig>;
