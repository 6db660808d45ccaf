// 页面上的全部文字，简体中文。与 en.ts 的键相同，由检查保证。大括号里的部分会被填入，请保留。
import type { Key } from "./en";

export const zh: Record<Key, string> = {
  // 通用
  "app.name": "Rowlock",
  "app.language": "语言",
  "app.theme": "主题",
  "theme.auto": "自动",
  "theme.light": "浅色",
  "theme.dark": "深色",
  "app.refresh": "刷新",
  "app.refresh_every": "每 {seconds} 秒刷新",
  "app.refresh_off": "不自动刷新",
  "app.refresh_held": "选择期间暂停刷新",
  "app.help": "键盘快捷键",
  "app.sign_out": "退出登录",
  "app.skip": "跳到正文",
  "app.menu": "页面",
  "app.not_found": "没有这个页面。",
  "app.version": "版本 {version}",
  "action.cancel": "取消",
  "action.close": "关闭",
  "action.copy": "复制",
  "action.copied": "已复制",
  "action.undo": "撤销",
  "action.now": "立即执行",
  "action.retry": "重试",
  "action.show_all": "显示全部（{size}）",
  "action.show_less": "收起",
  "action.clear_filters": "清除筛选条件",

  // 登录
  "sign_in.title": "登录",
  "sign_in.token": "令牌",
  "sign_in.about": "此服务器的任一令牌：viewer 令牌可查看，admin 令牌可修改。",
  "sign_in.keep": "保留到关闭此标签页为止",
  "sign_in.submit": "登录",
  "sign_in.refused": "此令牌无效或已失效。",
  "sign_in.connecting": "正在连接…",

  // 错误
  "problem.no_answer": "服务器没有响应。",
  "problem.forbidden": "您的令牌没有此权限。{detail}",
  "problem.needs_door": "此操作需要 {door} 令牌。",
  "problem.too_slow": "此搜索耗时过长。请增加筛选条件，例如队列或时间。",
  "problem.too_many": "服务器繁忙。",
  "problem.away": "服务器暂时无法处理。{detail}",
  "problem.retry_after": "请等待 {seconds} 秒。",
  "problem.shown_from": "当前显示的是{age}的数据。",
  "problem.request_id": "请求 {id}",
  "problem.conflict": "数据已发生变化：{detail}",

  // 任务状态
  "status.to_do": "待办",
  "status.in_progress": "进行中",
  "status.retrying": "等待重试",
  "status.paused": "已暂停",
  "status.done": "已完成",
  "status.failed": "已失败",
  "status.cancelled": "已取消",
  "priority.高": "高",
  "priority.中": "中",
  "priority.低": "低",

  // 时间与数字
  "time.now": "刚刚",
  "time.seconds": "{n} 秒",
  "time.minutes": "{n} 分钟",
  "time.hours": "{n} 小时",
  "time.days": "{n} 天",
  "time.ago": "{span}前",
  "time.in": "{span}后",

  // 列表
  "table.select": "选择 {name}",
  "table.select_all": "选择所有行",
  "table.sort": "按{column}排序",
  "table.selected": "已选 {n} 行",
  "table.rows": "{n} 行",
  "table.empty": "暂无内容。",
  "table.filtered": "没有符合筛选条件的内容。",
  "json.none": "无",
  "chart.time": "时间",
  "chart.values": "图表数值",

  // 键盘
  "keys.title": "键盘快捷键",
  "keys.go": "前往{page}",
  "keys.help": "显示此帮助",
  "keys.filter": "跳到筛选框",
  "keys.next": "下一行",
  "keys.previous": "上一行",
  "keys.select": "选择该行",
  "keys.open": "打开该行",
  "keys.refresh": "刷新",

  // 页面：概览
  "overview.title": "概览",
  "overview.attention": "需要关注",
  "overview.all_well": "一切正常。",
  "overview.all_well_about": "{queues} 个队列，{waiting} 个等待中，{running} 个进行中。",
  "overview.oldest": "{queue}：最早的任务已等待 {span}",
  "overview.oldest_about": "{waiting} 个等待中，{running} 个进行中",
  "overview.failing": "{queue}：{percent} 的执行失败",
  "overview.failing_about": "最近 {minutes} 分钟内失败 {failed} 次",
  "overview.paused": "{queue} 已暂停",
  "overview.paused_about": "{waiting} 个等待中；暂停于",
  "overview.no_scheduler": "没有调度器在运行",
  "overview.no_scheduler_about": "重试、超时和失联的 worker 无人处理。",
  "overview.redis": "Redis 不可用",
  "overview.redis_about": "一切照常，但会变慢：{detail}",
  "overview.totals": "当前",
  "overview.waiting": "等待中",
  "overview.running": "进行中",
  "overview.retrying": "等待重试",
  "overview.failed": "已失败",
  "overview.done_rate": "每分钟完成",
  "overview.failure_rate": "执行失败率",
  "overview.throughput": "吞吐量",
  "overview.throughput_about": "最近一小时，每分钟任务数",
  "overview.submitted": "提交",
  "overview.done": "完成",
  "overview.queues": "队列",
  "overview.queue": "队列",
  "overview.oldest_waiting": "最长等待",
  "overview.more_queues": "此处只统计按名称排序的前 {n} 个队列。",
  "overview.none": "还没有提交过任务。提交一个：",

  // 页面：队列

  // 页面：任务列表

  // 页面：单个任务

  // 页面：失败

  // 页面：worker

  // 页面：定时计划

  // 页面：活动

  // 页面：系统

  // 页面：提交
};
